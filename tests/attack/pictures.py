"""The picture of an index: a draw among all ways to make one."""

from . import damage, handmade, metadata, sound
from .cases import Case, chance

_CHUNKED = ("PNG", "JPEG", "WEBP")


def picture(seed: int, index: int) -> Case:
    """Of every ten: two sound ones, three damaged, two made by hand, two with odd metadata."""
    g = chance(seed, "pictures", index)
    way = index % 10
    if way in (0, 1):
        return sound.picture(g)
    if way in (2, 3):
        return handmade.made(g)
    if way in (4, 5):
        return metadata.hostile(g)
    if way == 6:
        found = sound.picture(g, _CHUNKED)
        return Case(
            f"rebuilt {found.suffix[1:]}", found.suffix, damage.rebuilt(found.data, found.suffix, g)
        )
    if way == 7 and g.random() < 0.5:
        return Case("retagged tif", ".tif", damage.retagged(sound.picture(g, ("TIFF",)).data, g))
    if way == 7 and g.random() < 0.2:
        return sound.foreign(g)
    found = metadata.hostile(g) if g.random() < 0.3 else sound.picture(g)
    harm = g.choice(damage.BLIND)
    return Case(f"{harm.__name__} {found.suffix[1:]}", found.suffix, harm(found.data, g))
