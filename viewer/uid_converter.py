"""The path converter ``uid``: digits and dots, at most 64 characters and a stack's suffix."""


class UIDConverter:
    regex = r"[0-9.]{1,70}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value
