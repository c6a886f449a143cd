"""Files of strangers as plain arrays: Pillow and NumPy alone, so that it starts quickly in a
process of its own. `gsr.images` makes pictures of what comes out.
"""
