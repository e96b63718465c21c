"""Queries: one matcher for C-FIND, QIDO-RS and the search page (PS3.4 annex C.2.2.2, PS3.18 10.6).

``keys`` says what may be asked, ``matching`` reads a key's value, ``conditions`` turns it into SQL, ``search``
finds the rows, ``answers`` reads them out. The doors translate and decide nothing about what matches.
"""
