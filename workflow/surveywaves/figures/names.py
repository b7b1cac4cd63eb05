"""Which figures a study has. Imports nothing heavy: the workflow asks before it starts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from surveywaves.terms import WITHOUT_SCALE

if TYPE_CHECKING:
    from surveywaves.study.parts import Presentation

FORMATS: Final = ("svg", "pdf", "png")
"""What each figure is saved as."""


def names(presentation: Presentation, published: bool) -> tuple[str, ...]:
    """Name the figures of a study, in the order in which they are drawn.

    Parameters
    ----------
    presentation
        The study in words.
    published
        Whether a publication is audited.
    """
    several_organisations = len(presentation.organisations) > 1
    several_waves = len(presentation.waves) > 1
    found = ["response", *(f"respondents_{variable}" for variable in presentation.variables), "break_off"]
    if presentation.style.gradient:
        found.append("gradient")
    found.append("heat_map")
    for scale in item_groups(presentation):
        found.append(f"likert_{scale}")
        if several_organisations:
            found.append(f"likert_{scale}_by_organisation")
    if presentation.scales:
        found.append("reliability")
        if several_organisations or several_waves:
            found.append("functioning")
        found += ["scale_profile", "favourable", "means_over_waves"]
        if surveyed_throughout(presentation):
            found.append("comparator")
        found += [f"framework_{name}" for name in presentation.frameworks]
        if several_organisations or several_waves:
            found.append("contrasts")
            if several_organisations and several_waves:
                found.append("differences_in_change")
            found += [f"sensitivity_{scale}" for scale in presentation.scales]
        if presentation.planning:
            found.append("planning")
    if published:
        found.append("published_agreement")
    return tuple(found)


def surveyed_throughout(presentation: Presentation) -> tuple[str, ...]:
    """List the organisations that every wave surveyed, where these can be followed further than the others.

    Empty where there are fewer than three waves, where no organisation is in all of them, or where all are.
    """
    waves = presentation.waves.values()
    found = tuple(
        name
        for name in presentation.organisations
        if all(name in wave.organisations_surveyed for wave in waves)
    )
    return found if len(waves) > 2 and len(found) < len(presentation.organisations) else ()


def item_groups(presentation: Presentation) -> tuple[str, ...]:
    """List the scales that have items, in the study's order, and `WITHOUT_SCALE` if some items have no scale."""
    used = {item.scale for item in presentation.items.values()}
    scales = [scale for scale in presentation.scales if scale in used]
    return (*scales, WITHOUT_SCALE) if None in used else tuple(scales)
