"""Stored values to display values: plain Python over numpy, no Django, no files.

The modules in the order of the path (PS3.4 N.2): parameters, modality_lut,
voi_lut, presentation, display_table, color, color_maps, overlays, resample,
tiles, png, pipeline. Beside the path: window_presets, automatic, stack_window,
geometry, values, suv.
"""
