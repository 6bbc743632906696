"""Nodes for what SDXL is told beside the prompt."""

from dataclasses import replace
from typing import Annotated

from pydantic import Field

from engine.node import node

from . import facts
from .values import Conditioning, Framing

Length = Annotated[int, Field(ge=0, le=16384, json_schema_extra={"step": 8})]
Score = Annotated[float, Field(ge=0, le=1000, json_schema_extra={"step": 0.5})]


@node("SizeConditioning", category="conditioning", infer=facts.same("conditioning"))
def size_conditioning(
    conditioning: Conditioning,
    *,
    width: Length = 1024,
    height: Length = 1024,
    crop_x: Length = 0,
    crop_y: Length = 0,
    target_width: Length = 0,
    target_height: Length = 0,
) -> Conditioning:
    """Tell SDXL what size the picture had and what was cropped; without it, a whole picture of its size.

    Args:
        conditioning: Other models leave it alone.
        width: Of the picture before it was made smaller; small ones give blurred pictures.
        height: Of the picture before it was made smaller.
        crop_x: Pixels cut off at the left: more puts the subject off centre.
        crop_y: Pixels cut off at the top.
        target_width: Of the picture as it is to be; 0 for what the latents make.
        target_height: Of the picture as it is to be; 0 for what the latents make.
    """
    framing = Framing(width, height, crop_x, crop_y, target_width, target_height)
    return conditioning.each(lambda part: replace(part, framing=framing))


@node("AestheticScore", category="conditioning", infer=facts.same("conditioning"))
def aesthetic_score(conditioning: Conditioning, *, score: Score = 6.0) -> Conditioning:
    """Tell SDXL's refiner how pretty the picture is to be; without it, 6, and 2.5 in a negative prompt.

    Args:
        conditioning: Other models leave it alone.
        score: From 1 to 10, as people would give it.
    """
    return conditioning.each(lambda part: replace(part, aesthetic=score))
