"""Pages, one module each: find the study through ``visible_to``, read the parameters, call one function, render."""
