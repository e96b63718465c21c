"""Stored values to display values: plain Python over numpy, no Django, no files.

The modules in the order of the path (PS3.4 N.2): parameters, modality_lut,
subtraction, voi_lut, presentation, presentation_lut, display_table, straight_ramp, color, color_maps,
shutters, overlays, annotations, resample, tiles, png, pipeline. Beside the path:
window_presets, automatic, stack_window, equivalent_window, geometry, values, real_world,
suv, suv_kinds, quantities.

A presentation state: presentation_state (the value), presentation_state_reading,
annotation_reading; stated (its steps on the path), displayed_area, outlines, text_stamp,
cielab; presentation_target and blending (a state as a picture of its own).
"""
