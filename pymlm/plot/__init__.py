"""Pictures of models and results, drawn with matplotlib (``pip install 'pymlm[plot]'``).

Every function takes a fitted model or a result that is there already, draws what the result's
``to_frame()`` holds, and returns the Axes that it drew on (an array of them where there are
panels); it shows nothing and changes no setting of matplotlib. Everywhere

- ``ax`` (``axes`` for panels) are the Axes to draw on; a new figure is made without them;
- ``level`` is the level of intervals and bands, 0.95 by default;
- ``points`` says whether observations (or the dots of single groups) are drawn, too;
- ``label`` is the name of the main artist in the legend;
- further keywords go to the main artist, as matplotlib knows them (``color=``, ``linewidth=`` ...).

Colours are Okabe and Ito's; line styles and markers say the same again, so that figures can be read
in grey. Where there is more than can be seen, less is drawn, and a note at the right edge says so.
Units in the labels come from the data: ``data.attrs["units"] = {"Reaction": "ms"}``, names for
readers from ``data.attrs["labels"]``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
