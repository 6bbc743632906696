"""The judge: the facts that a picture shows, measured from its pixels alone."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from nodes.starter import drawing, scenes
from nodes.starter.scenes import PAINT, Colour, Facts, lit, lit_object, mixed

Floats: TypeAlias = npt.NDArray[np.float64]
Mask: TypeAlias = npt.NDArray[np.bool_]

_SIDE: Final = 32  # of the silhouettes that shapes are compared at


def measure(picture: Image.Image) -> Facts:
    """The facts that a picture (128 x 128) shows, as far as they can be seen."""
    a = np.asarray(picture.convert("RGB")).astype(np.float64)
    if _is_plain(a):
        return _measure_shape(a)
    return _measure_postcard(a)


def verdicts(picture: Image.Image, said: Facts) -> dict[str, bool]:
    """For each fact that a caption says, whether the picture shows it."""
    seen = measure(picture)
    return {name: seen.get(name) == value for name, value in said.items()}


def _distance(a: Floats, colour: Colour) -> Floats:
    squared = (a - np.array(colour, np.float64)) ** 2
    return np.asarray(np.sqrt(squared.sum(-1)), np.float64)


def _nearest(colour: Floats, table: Mapping[str, Colour]) -> str:
    return min(table, key=lambda name: float(_distance(colour, table[name])))


def _is_plain(a: Floats) -> bool:
    top = np.median(a[:6].reshape(-1, 3), 0)
    bottom = np.median(a[-6:].reshape(-1, 3), 0)
    return bool(np.linalg.norm(top - bottom) < 22)


def _labels(a: Floats, table: Sequence[Colour], limit: float) -> npt.NDArray[np.int64]:
    """For each pixel the index of the nearest colour, or -1 if none is near."""
    distances = np.stack([_distance(a, colour) for colour in table], -1)
    nearest: npt.NDArray[np.int64] = distances.argmin(-1)
    nearest[distances.min(-1) > limit] = -1
    return nearest


def _place(columns: npt.NDArray[np.int64], across: Mapping[str, float]) -> str:
    x = float(np.median(columns)) / scenes.SIZE
    return min(across, key=lambda place: abs(across[place] - x))


def _measure_shape(a: Floats) -> Facts:
    border = np.concatenate([a[:6].reshape(-1, 3), a[-6:].reshape(-1, 3)])
    facts = {"subject": "shape", "background": _nearest(np.median(border, 0), PAINT)}
    names = list(PAINT)
    labels = _labels(a, list(PAINT.values()), math.inf)
    labels[_distance(a, PAINT[facts["background"]]) < 60] = names.index(facts["background"])
    figure = labels != names.index(facts["background"])
    counts = {name: int((labels[figure] == i).sum()) for i, name in enumerate(names)}
    colour = max(counts, key=lambda name: counts[name])
    if figure.sum() < 150:
        return facts
    facts["shape colour"] = colour
    facts["shape place"] = _place(np.nonzero(figure)[1], drawing.SHAPE_ACROSS)
    facts["shape"] = _silhouette(figure)
    return facts


@functools.cache
def _templates() -> dict[str, Mask]:
    masks: dict[str, Mask] = {}
    for kind in scenes.ATTRIBUTES["shape"]:
        image = Image.new("L", (256, 256), 0)
        ImageDraw.Draw(image).polygon(drawing.outline(kind, 128, 128, 90), fill=255)
        masks[kind] = np.asarray(image.crop(image.getbbox()).resize((_SIDE, _SIDE))) > 127
    return masks


def _silhouette(figure: Mask) -> str:
    rows, columns = np.nonzero(figure.sum(1) > 1)[0], np.nonzero(figure.sum(0) > 1)[0]
    if not len(rows) or not len(columns):
        return "none"
    box = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    image = Image.fromarray((figure * 255).astype(np.uint8)).crop(box)
    cut = np.asarray(image.resize((_SIDE, _SIDE))) > 127
    overlap = {k: float((cut & t).sum() / (cut | t).sum()) for k, t in _templates().items()}
    return max(overlap, key=lambda kind: overlap[kind])


def _measure_postcard(a: Floats) -> Facts:
    skies = {t: mixed(*scenes.SKY[t], 0.1) for t in scenes.SKY}
    time = _nearest(np.median(a[2:14].reshape(-1, 3), 0), skies)
    grounds = {season: lit(colour, time) for season, colour in scenes.GROUND.items()}
    season = _nearest(np.median(a[114:].reshape(-1, 3), 0), grounds)
    facts = {"subject": "postcard", "time": time, "season": season}
    scenery = _scenery(time, season)
    facts |= _measure_house(a, time, scenery)
    facts |= _measure_balloon(a, time, scenery)
    facts |= _measure_light(a, time)
    facts |= _measure_nature(a, facts)
    return facts


def _scenery(time: str, season: str) -> list[Colour]:
    """Colours that belong to the landscape, so that they are not taken for an object's."""
    sky = [mixed(*scenes.SKY[time], share) for share in np.linspace(0, 1, 9)]
    far = lit(scenes.haze(season), time)
    near = lit(scenes.GROUND[season], time)
    return [
        *sky,
        near,
        far,
        mixed(near, far, 0.4),
        mixed(far, (255, 255, 255), 0.1),
        lit(scenes.SNOW, time),
        lit(scenes.ROCK, time),
        mixed(lit(scenes.ROCK, time), (0, 0, 30), 0.18),
        lit(scenes.PINE[season], time),
        lit((98, 64, 44), time),
        scenes.DISC,
        scenes.LAMP,
        (20, 20, 24),
    ]


def _painted(a: Floats, time: str, others: Sequence[Colour]) -> tuple[str, Mask]:
    """The commonest of the objects' colours, and where it is."""
    tints = scenes.ATTRIBUTES["house colour"]
    table = [*(lit_object(PAINT[tint], time) for tint in tints), *others]
    labels = _labels(a, table, 50)
    best = max(range(len(tints)), key=lambda i: int((labels == i).sum()))
    return tints[best], labels == best


def _measure_house(a: Floats, time: str, scenery: Sequence[Colour]) -> Facts:
    parts = [lit_object(c, time) for c in (scenes.ROOF, scenes.DOOR, scenes.WINDOW, scenes.SNOW)]
    colour, where = _painted(a[64:107], time, [*scenery, *parts])
    if where.sum() < 70:
        return {"house": "no"}
    columns = np.nonzero(where)[1]
    width = np.percentile(columns, 95) - np.percentile(columns, 5)
    return {
        "house": "yes",
        "house colour": colour,
        "house size": "big" if width > 34 else "small",
        "house place": _place(columns, drawing.ACROSS),
    }


def _measure_balloon(a: Floats, time: str, scenery: Sequence[Colour]) -> Facts:
    paints = [lit_object(PAINT[tint], time) for tint in scenes.TINTS]
    stripes = [mixed(paint, (255, 255, 255), 0.55) for paint in paints]
    colour, where = _painted(a[2:56], time, [*scenery, *stripes])
    if where.sum() < 100:
        return {"balloon": "no"}
    place = _place(np.nonzero(where)[1], drawing.ACROSS)
    return {"balloon": "yes", "balloon colour": colour, "balloon place": place}


def _measure_light(a: Floats, time: str) -> Facts:
    limit = 48 if time == "night" else 30
    where = _distance(a[4:38], scenes.DISC) < limit
    columns = np.nonzero(where)[1]
    if len(columns) < 110:
        return {"light": "no"}
    return {"light": "yes", "light place": _place(columns, drawing.ACROSS)}


def _measure_nature(a: Floats, facts: Facts) -> Facts:
    time, season = facts["time"], facts["season"]
    house = [lit_object(c, time) for c in (scenes.ROOF, scenes.DOOR, scenes.WINDOW)]
    if "house colour" in facts:
        house.append(lit_object(PAINT[facts["house colour"]], time))
    pine = lit(scenes.PINE[season], time)
    others = [c for c in _scenery(time, season) if c != pine]
    trees = _labels(a[58:122], [pine, *others, *house], 40) == 0
    rocks = [lit(scenes.ROCK, time), mixed(lit(scenes.ROCK, time), (0, 0, 30), 0.18)]
    others = [c for c in _scenery(time, season) if c not in rocks]
    stone = _labels(a[34:76], [*rocks, *others, *house], 34)
    mountains = (stone == 0) | (stone == 1)
    return {
        "trees": "yes" if trees.sum() > 180 else "no",
        "mountains": "yes" if mountains.sum() > 300 else "no",
    }
