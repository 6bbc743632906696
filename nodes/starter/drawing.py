"""Drawing: a scene's facts as a picture of 128 x 128 pixels."""

from __future__ import annotations

import functools
import math
import random
from collections.abc import Callable
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from nodes.starter import scenes
from nodes.starter.scenes import Colour, Facts, lit, lit_object, mixed

Point: TypeAlias = tuple[float, float]
Pixels: TypeAlias = npt.NDArray[np.uint8]

_S: Final = 2 * scenes.SIZE  # drawn at twice the size and reduced, which smooths the edges
ACROSS: Final = {"left": 0.2, "center": 0.5, "right": 0.8}
SHAPE_ACROSS: Final = {"left": 0.27, "center": 0.5, "right": 0.73}
HORIZON: Final = 0.62


def draw(facts: Facts, rng: random.Random) -> Image.Image:
    """A picture of the scene; what the facts leave open is drawn by chance."""
    image = _draw_shape(facts, rng) if facts["subject"] == "shape" else _draw_postcard(facts, rng)
    return image.reduce(2)


def pixels(facts: Facts, rng: random.Random) -> Pixels:
    """The picture as an array (128, 128, 3)."""
    return np.asarray(draw(facts, rng))


def outline(kind: str, x: float, y: float, r: float) -> list[Point]:
    """The corners of a shape of radius about r around (x, y)."""
    turns = np.linspace(0, 2 * math.pi, 64)
    if kind == "square":
        s = r * 0.88
        return [(x - s, y - s), (x + s, y - s), (x + s, y + s), (x - s, y + s)]
    if kind == "triangle":
        return [(x, y - r), (x - r * 1.05, y + r * 0.85), (x + r * 1.05, y + r * 0.85)]
    if kind == "star":
        radii = [r * 1.15 if i % 2 == 0 else r * 0.5 for i in range(10)]
        angles = [i * math.pi / 5 for i in range(10)]
        return [
            (x + q * math.sin(a), y - q * math.cos(a)) for q, a in zip(radii, angles, strict=True)
        ]
    if kind == "heart":
        return [
            (
                x + r * 1.02 * math.sin(t) ** 3,
                y
                - r
                * 0.066
                * (13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)),
            )
            for t in turns
        ]
    return [(x + r * math.cos(t), y + r * math.sin(t)) for t in turns]


def _draw_shape(facts: Facts, rng: random.Random) -> Image.Image:
    image = Image.new("RGB", (_S, _S), scenes.PAINT[facts["background"]])
    x = _S * (SHAPE_ACROSS[facts["shape place"]] + rng.uniform(-0.02, 0.02))
    y = _S * (0.5 + rng.uniform(-0.03, 0.03))
    corners = outline(facts["shape"], x, y, _S * rng.uniform(0.2, 0.23))
    ImageDraw.Draw(image).polygon(corners, fill=scenes.PAINT[facts["shape colour"]])
    return image


def _draw_postcard(facts: Facts, rng: random.Random) -> Image.Image:
    time, season = facts["time"], facts["season"]
    image = _sky(time)
    if time == "night":
        _stars(image, rng)
    if facts["light"] == "yes":
        _light(image, _S * (ACROSS[facts["light place"]] + rng.uniform(-0.03, 0.03)), time, rng)
    if facts["mountains"] == "yes":
        _mountains(image, time, rng)
    far = lit(scenes.haze(season), time)
    _hill(
        image, rng, _S * rng.uniform(0.6, 0.64), _S * 0.03, (mixed(far, (255, 255, 255), 0.1), far)
    )
    near = lit(scenes.GROUND[season], time)
    crest = mixed(near, far, 0.4)
    height = _hill(image, rng, _S * rng.uniform(0.71, 0.75), _S * 0.025, (crest, near))
    house_x, width = -float(_S), 0.0
    if facts["house"] == "yes":
        house_x = _S * (ACROSS[facts["house place"]] + rng.uniform(-0.03, 0.03))
        width = _S * (0.37 if facts["house size"] == "big" else 0.22)
    if facts["trees"] == "yes":
        _trees(image, height, (house_x, width), (time, season), rng)
    if season == "spring":
        _flowers(image, time, rng)
    if facts["house"] == "yes":
        y = height(house_x) + width * 0.2 + _S * rng.uniform(0.01, 0.05)
        _house(image, (house_x, y), width, facts)
    if facts["balloon"] == "yes":
        x = _S * (ACROSS[facts["balloon place"]] + rng.uniform(-0.03, 0.03))
        y = _S * rng.uniform(0.17, 0.22)
        _balloon(image, (x, y), _S * rng.uniform(0.115, 0.13), facts)
    return image


@functools.cache
def _gradient(top: Colour, bottom: Colour, start: float, end: float) -> Image.Image:
    share = np.clip((np.linspace(0, 1, _S) - start) / (end - start), 0, 1)[:, None, None]
    rows = np.array(top) * (1 - share) + np.array(bottom) * share
    return Image.fromarray(np.broadcast_to(rows, (_S, _S, 3)).round().astype(np.uint8))


def _sky(time: str) -> Image.Image:
    top, bottom = scenes.SKY[time]
    return _gradient(top, bottom, 0.0, HORIZON).copy()


@functools.cache
def _glow(size: int) -> Image.Image:
    axis = np.linspace(-1, 1, size)
    squared = axis[:, None] ** 2 + axis[None, :] ** 2
    fall = np.exp(-squared * 3.2) - math.exp(-3.2)
    return Image.fromarray((np.clip(fall, 0, 1) * 200).astype(np.uint8))


def _stars(image: Image.Image, rng: random.Random) -> None:
    canvas = ImageDraw.Draw(image)
    for _ in range(rng.randint(12, 18)):
        x, y, r = rng.uniform(0, _S), rng.uniform(0, _S * 0.5), rng.uniform(1.2, 2.4)
        canvas.ellipse((x - r, y - r, x + r, y + r), fill=(236, 236, 214))


def _light(image: Image.Image, x: float, time: str, rng: random.Random) -> None:
    y, r = _S * rng.uniform(0.14, 0.19), _S * rng.uniform(0.08, 0.09)
    reach = round(r * 2.4)
    glow = _glow(2 * reach)
    if time == "night":
        glow = glow.point(lambda v: v // 2)
    tint = (190, 200, 240) if time == "night" else (255, 246, 200)
    image.paste(tint, (round(x) - reach, round(y) - reach), glow)
    canvas = ImageDraw.Draw(image)
    canvas.ellipse((x - r, y - r, x + r, y + r), fill=scenes.DISC)
    if time == "night":
        for dx, dy, q in ((-0.3, -0.2, 0.22), (0.3, 0.3, 0.17), (0.2, -0.45, 0.12)):
            box = (x + (dx - q) * r, y + (dy - q) * r, x + (dx + q) * r, y + (dy + q) * r)
            canvas.ellipse(box, fill=(226, 220, 186))


def _mountains(image: Image.Image, time: str, rng: random.Random) -> None:
    canvas = ImageDraw.Draw(image)
    peaks = rng.choice((2, 3))
    start = _S * rng.uniform(0.08, 0.3)
    base = _S * 0.68
    for i in range(peaks):
        x, h = start + i * _S * rng.uniform(0.3, 0.36), _S * rng.uniform(0.27, 0.35)
        w, top = h * rng.uniform(0.85, 1.05), base - h
        rock = lit(scenes.ROCK, time)
        canvas.polygon([(x, top), (x - w, base), (x + w, base)], fill=rock)
        shade = mixed(rock, (0, 0, 30), 0.18)
        canvas.polygon([(x, top), (x + w * 0.2, base), (x + w, base)], fill=shade)
        cap = [(0.0, 0.0), (-0.34, 0.34), (-0.14, 0.27), (0.04, 0.38), (0.18, 0.28), (0.34, 0.34)]
        points = [(x + a * w, top + b * h) for a, b in cap]
        canvas.polygon(points, fill=lit(scenes.SNOW, time))


def _hill(
    image: Image.Image,
    rng: random.Random,
    base: float,
    swing: float,
    colours: tuple[Colour, Colour],
) -> Callable[[float], float]:
    phases = rng.uniform(0, 6.3), rng.uniform(0, 6.3)
    waves = rng.uniform(0.6, 1.1), rng.uniform(1.3, 2.2)

    def height(x: float) -> float:
        turn = 2 * math.pi * x / _S
        low = math.sin(phases[0] + waves[0] * turn)
        return base + swing * (low + 0.5 * math.sin(phases[1] + waves[1] * turn))

    mask = Image.new("L", (_S, _S), 0)
    crest = [(x, height(x)) for x in range(0, _S + 4, 4)]
    ImageDraw.Draw(mask).polygon([*crest, (_S, _S), (0, _S)], fill=255)
    image.paste(_gradient(*colours, 0.58, 0.86), (0, 0), mask)
    return height


def _trees(
    image: Image.Image,
    height: Callable[[float], float],
    house: tuple[float, float],
    sky: tuple[str, str],
    rng: random.Random,
) -> None:
    canvas = ImageDraw.Draw(image)
    placed: list[float] = []
    for _ in range(60):
        x = _S * rng.uniform(0.05, 0.95)
        clear = abs(x - house[0]) > house[1] * 0.62 + 14
        if clear and all(abs(x - other) > 26 for other in placed):
            placed.append(x)
        if len(placed) == 4:
            break
    for x in placed:
        base = height(x) + _S * rng.uniform(0.02, 0.09)
        _pine(canvas, (x, base), _S * rng.uniform(0.2, 0.26), sky)


def _pine(canvas: ImageDraw.ImageDraw, foot: Point, h: float, sky: tuple[str, str]) -> None:
    time, season = sky
    x, y = foot
    trunk = (x - h * 0.06, y - h * 0.2, x + h * 0.06, y)
    canvas.rectangle(trunk, fill=lit((98, 64, 44), time))
    green = lit(scenes.PINE[season], time)
    for i in range(3):
        w = h * (0.34 - 0.07 * i)
        top, bottom = y - h * (0.5 + 0.25 * i), y - h * (0.14 + 0.25 * i)
        canvas.polygon([(x, top), (x - w, bottom), (x + w, bottom)], fill=green)
        if season == "winter":
            middle = (top + bottom) / 2
            snow = [(x, top), (x - w * 0.5, middle), (x + w * 0.5, middle)]
            canvas.polygon(snow, fill=lit(scenes.SNOW, time))


def _flowers(image: Image.Image, time: str, rng: random.Random) -> None:
    canvas = ImageDraw.Draw(image)
    for _ in range(14):
        x, y = rng.uniform(0, _S), _S * rng.uniform(0.84, 0.98)
        petal = rng.choice(((255, 168, 200), (255, 255, 255)))
        canvas.ellipse((x - 3, y - 3, x + 3, y + 3), fill=lit(petal, time))


def _house(image: Image.Image, foot: Point, w: float, facts: Facts) -> None:
    time = facts["time"]
    canvas = ImageDraw.Draw(image)
    x, y = foot
    h = w * 0.62
    wall = lit_object(scenes.PAINT[facts["house colour"]], time)
    roof = lit_object(scenes.ROOF, time)
    canvas.rectangle((x + w * 0.2, y - h * 1.78, x + w * 0.34, y - h * 1.1), fill=roof)
    canvas.rectangle((x - w / 2, y - h, x + w / 2, y), fill=wall)
    ridge, eaves = (x, y - h * 1.75), y - h * 0.97
    canvas.polygon([(x - w * 0.62, eaves), (x + w * 0.62, eaves), ridge], fill=roof)
    if facts["season"] == "winter":
        snow = lit_object(scenes.SNOW, time)
        left, right = (x - w * 0.36, y - h * 1.3), (x + w * 0.36, y - h * 1.3)
        canvas.polygon([ridge, left, (x, y - h * 1.42), right], fill=snow)
    glass = scenes.LAMP if time == "night" else lit_object(scenes.WINDOW, time)
    canvas.rectangle((x - w * 0.36, y - h * 0.72, x - w * 0.12, y - h * 0.32), fill=glass)
    door = lit_object(scenes.DOOR, time)
    canvas.rectangle((x + w * 0.08, y - h * 0.64, x + w * 0.33, y), fill=door)


def _balloon(image: Image.Image, middle: Point, r: float, facts: Facts) -> None:
    time = facts["time"]
    canvas = ImageDraw.Draw(image)
    x, y = middle
    cloth = lit_object(scenes.PAINT[facts["balloon colour"]], time)
    stripe = mixed(cloth, (255, 255, 255), 0.55)
    for side in (-1, 1):
        rope = [(x + side * r * 0.45, y + r * 0.8), (x + side * r * 0.2, y + r * 1.45)]
        canvas.line(rope, fill=(60, 50, 50), width=2)
    skirt = [(-0.94, 0.36), (0.94, 0.36), (0.25, 1.15), (-0.25, 1.15)]
    canvas.polygon([(x + a * r, y + b * r) for a, b in skirt], fill=cloth)
    canvas.ellipse((x - r, y - r, x + r, y + r), fill=cloth)
    canvas.ellipse((x - r * 0.28, y - r, x + r * 0.28, y + r * 1.05), fill=stripe)
    basket = (x - r * 0.26, y + r * 1.4, x + r * 0.26, y + r * 1.78)
    canvas.rectangle(basket, fill=lit_object((152, 102, 62), time))
