"""Work on pictures and folders: upscaling, films, evaluation, data sets."""
