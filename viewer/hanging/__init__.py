"""How a study is hung when it is opened: priors, protocols, and which of them fits."""
