"""Nodes that put prompts together, and say where and when they count."""

from server.comfy.declared import Codec, Entry, Given, choice, link, one, real, whole

_CONDITIONING = (("CONDITIONING", "CONDITIONING"),)
_REST = Codec(lambda share: round(1 - share, 9), lambda share: round(1 - share, 9))
_AREA = (
    whole("width", 64, 64, 16384, step=8),
    whole("height", 64, 64, 16384, step=8),
    whole("x", 0, 0, 16384, step=8),
    whole("y", 0, 0, 16384, step=8),
)

ENTRIES = (
    Entry(
        "ConditioningCombine",
        (link("conditioning_1", "CONDITIONING"), link("conditioning_2", "CONDITIONING")),
        _CONDITIONING,
        (
            one(
                "ConditioningCombine", first=Given("conditioning_1"), second=Given("conditioning_2")
            ),
        ),
        "conditioning",
        "Conditioning (Combine)",
    ),
    Entry(
        "ConditioningConcat",
        (link("conditioning_to", "CONDITIONING"), link("conditioning_from", "CONDITIONING")),
        _CONDITIONING,
        (
            one(
                "ConditioningConcat",
                first=Given("conditioning_to"),
                second=Given("conditioning_from"),
            ),
        ),
        "conditioning",
        "Conditioning (Concat)",
    ),
    Entry(
        "ConditioningAverage",
        (
            link("conditioning_to", "CONDITIONING"),
            link("conditioning_from", "CONDITIONING"),
            real("conditioning_to_strength", 1.0, 0.0, 1.0),
        ),
        _CONDITIONING,
        (
            one(
                "ConditioningAverage",
                first=Given("conditioning_to"),
                second=Given("conditioning_from"),
                amount=Given("conditioning_to_strength", _REST),
            ),
        ),
        "conditioning",
        "ConditioningAverage",
    ),
    Entry(
        "ConditioningSetArea",
        (link("conditioning", "CONDITIONING"), *_AREA, real("strength", 1.0, 0.0, 10.0)),
        _CONDITIONING,
        (
            one(
                "ConditioningArea",
                conditioning=Given("conditioning"),
                area={
                    "kind": "pixels",
                    "x": Given("x"),
                    "y": Given("y"),
                    "width": Given("width"),
                    "height": Given("height"),
                },
                strength=Given("strength"),
            ),
        ),
        "conditioning",
        "Conditioning (Set Area)",
    ),
    Entry(
        "ConditioningSetMask",
        (
            link("conditioning", "CONDITIONING"),
            link("mask", "MASK"),
            real("strength", 1.0, 0.0, 10.0),
            choice("set_cond_area", "default", "mask bounds"),
        ),
        _CONDITIONING,
        (
            one(
                "ConditioningMask",
                when=lambda values: values.get("set_cond_area") == "default",
                says={"set_cond_area": "default"},
                conditioning=Given("conditioning"),
                mask=Given("mask"),
                strength=Given("strength"),
            ),
        ),
        "conditioning",
        "Conditioning (Set Mask)",
    ),
    Entry(
        "ConditioningSetTimestepRange",
        (
            link("conditioning", "CONDITIONING"),
            real("start", 0.0, 0.0, 1.0, step=0.001),
            real("end", 1.0, 0.0, 1.0, step=0.001),
        ),
        _CONDITIONING,
        (
            one(
                "ConditioningTimeRange",
                conditioning=Given("conditioning"),
                start=Given("start"),
                end=Given("end"),
            ),
        ),
        "conditioning",
        "ConditioningSetTimestepRange",
    ),
    Entry(
        "ConditioningZeroOut",
        (link("conditioning", "CONDITIONING"),),
        _CONDITIONING,
        (one("ConditioningZero", conditioning=Given("conditioning")),),
        "conditioning",
        "ConditioningZeroOut",
    ),
    Entry(
        "ConditioningSetAreaPercentage",
        (
            link("conditioning", "CONDITIONING"),
            real("width", 1.0, 0.0, 1.0),
            real("height", 1.0, 0.0, 1.0),
            real("x", 0.0, 0.0, 1.0),
            real("y", 0.0, 0.0, 1.0),
            real("strength", 1.0, 0.0, 10.0),
        ),
        _CONDITIONING,
        (
            one(
                "ConditioningArea",
                conditioning=Given("conditioning"),
                area={
                    "kind": "fractions",
                    "x": Given("x"),
                    "y": Given("y"),
                    "width": Given("width"),
                    "height": Given("height"),
                },
                strength=Given("strength"),
            ),
        ),
        "conditioning",
        "Conditioning (Set Area with Percentage)",
    ),
)
