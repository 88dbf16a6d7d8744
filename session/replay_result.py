"""What a replay came to, as a line of JSON and as text."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from session.provenance import software
from session.replay import Replayed
from session.replay_change import OPEN_LOOP, Change, Facts

COMPARED_VERSIONS = ("rigloop", "git", "python", "machine")
COMPARED_PACKAGES = ("numpy", "numba", "h5py")
"""What can make another number of the same frames."""


def exit_code(replayed: Replayed) -> int:
    """Return 1 where something differs, else 0."""
    return 1 if replayed.compared.mismatches else 0


def unlike_versions(recorded: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the versions that differ between the recording and now: name to both."""
    now = software()
    were, are = recorded.get("packages"), now["packages"]
    pairs = {name: (str(recorded.get(name, "")), str(now[name])) for name in COMPARED_VERSIONS}
    packages = were if isinstance(were, dict) else {}
    pairs |= {name: (str(packages.get(name, "")), str(are[name])) for name in COMPARED_PACKAGES}
    if recorded.get("git_changed") or now["git_changed"]:
        # A working tree that was changed is no version that a name can tell.
        was, now_is = ("with changes" if each.get("git_changed") else "" for each in (recorded, now))
        pairs["git"] = f"{pairs['git'][0]} {was}".strip(), f"{pairs['git'][1]} {now_is}".strip()
    return {name: [one, other] for name, (one, other) in pairs.items() if one != other}


def as_json(replayed: Replayed, figure: str = "") -> dict[str, Any]:
    """Return what ``--json`` prints."""
    compared, whole = replayed.compared, replayed.whole
    made: dict[str, Any] = {
        "session": str(replayed.session),
        "outcome": replayed.outcome,
        "frames": whole.rows + whole.left_out,
        "compared": compared.rows,
        "events": compared.events,
        "mismatches": compared.mismatches,
        "by_column": dict(compared.by_column),
        "first": [
            {"frame": each.frame, "column": each.column, "recorded": _plain(each.recorded), "now": _plain(each.now)}
            for each in compared.first
        ],
        "taken_as_recorded": replayed.taken_as_recorded,
        "without_image": replayed.without_image,
        "killed": whole.killed,
        "left_out": whole.left_out,
        "frames_counted": whole.counted,
        "versions": unlike_versions(replayed.software) if compared.mismatches else {},
    }
    if replayed.change is not None:
        made["change"] = _change_json(replayed.change) | {"figure": figure}
    return made


def _change_json(change: Change) -> dict[str, Any]:
    recorded, changed = (
        facts._asdict() | {"success_rate": facts.success_rate} for facts in (change.recorded, change.changed)
    )
    return {
        "set": dict(change.changes),
        "recorded": recorded,
        "changed": changed,
        "first_difference": None if change.first is None else change.first._asdict(),
        "ended": change.ended,
        "no_signal": change.no_signal,
    }


def as_text(replayed: Replayed) -> list[str]:
    """Return it as lines for a person."""
    compared, whole = replayed.compared, replayed.whole
    lines = [
        f"session     {replayed.session}",
        f"replayed    {compared.rows} frames and {compared.events} decisions with today's loop: "
        f"{compared.mismatches} mismatch{'' if compared.mismatches == 1 else 'es'}",
    ]
    if whole.killed:
        rest = f"; the inputs of the last {whole.left_out} frames were lost" if whole.left_out else ""
        lines.append(f"tables      may have been cut short: compared as far as they are whole{rest}")
    if whole.lost_rows:
        lines.append(
            f"tables      the session ended in order with {whole.counted} frames (session.json), and "
            f"frames.csv has {whole.rows}: restore it from a copy"
        )
    if replayed.taken_as_recorded:
        lines.append(
            f"signals     {replayed.taken_as_recorded} taken as recorded, not computed again: {replayed.without_image} "
            "frames have no image, and a baseline needs those of dff_history"
        )
    if compared.mismatches:
        lines += _mismatch_lines(replayed)
    return lines


def _mismatch_lines(replayed: Replayed) -> list[str]:
    compared = replayed.compared
    columns = ", ".join(f"{name} {count}" for name, count in compared.by_column.most_common())
    lines = [f"differ      {columns}"]
    for each in compared.first:
        was, now = _shown_apart(each.recorded, each.now)
        lines.append(f"            frame {each.frame} {each.column}: recorded {was}, now {now}")
    if compared.mismatches > len(compared.first):
        lines.append(f"            and {compared.mismatches - len(compared.first)} more")
    unlike = unlike_versions(replayed.software)
    said = "; ".join(
        f"{name} {was or 'unknown'} when recorded, {now or 'unknown'} now" for name, (was, now) in unlike.items()
    )
    lines.append(f"versions    {said or 'the same as when it was recorded'}")
    return lines


def change_text(change: Change) -> list[str]:
    """Return what would have happened as a table, and what to think of it, as lines for a person."""
    given = ", ".join(f"{key} = {value}" for key, value in change.changes.items())
    lines = ["", f"with {given}", OPEN_LOOP, ""]
    rows = [("", "recorded", "with the change")]
    rows += [
        (name, one, other)
        for (name, one), (_, other) in zip(_facts(change.recorded), _facts(change.changed), strict=True)
    ]
    wide = [max(len(row[column]) for row in rows) for column in range(3)]
    lines += [f"{name:<{wide[0]}}  {one:>{wide[1]}}  {other:>{wide[2]}}" for name, one, other in rows]
    lines.append("")
    first = change.first
    if first is None:
        lines.append("first difference: none; the mouse would have noticed nothing")
    else:
        where = f"trial {first.trial}" if first.trial else "rest"
        was, now = _shown_apart(first.recorded, first.changed)
        lines.append(
            f"first difference: {first.time_s:.3f} s, frame {first.frame}, {where}: {first.column} {was} recorded, "
            f"{now} with the change"
        )
    if change.ended == "recording":
        lines.append("the recording ended before this session would have: its figures are of a part")
    elif change.ended != "done":
        lines.append(f"this session would have ended early: {change.ended}")
    if change.no_signal:
        lines.append(f"{change.no_signal} frames had no signal, as an image that it needs was not recorded")
    return lines


def _facts(facts: Facts) -> list[tuple[str, str]]:
    rate = facts.success_rate
    mean = facts.mean_trial_s
    return [
        ("trials", str(facts.trials)),
        ("successes", str(facts.successes)),
        ("success rate", "-" if rate is None else f"{100 * rate:.0f} %"),
        ("cut short", str(facts.cut_short)),
        ("rewards", str(facts.rewards)),
        ("drops", str(facts.drops)),
        ("threshold at the end", f"{facts.threshold:g}"),
        ("mean trial", "-" if mean is None else f"{mean:.2f} s"),
        ("duration", f"{facts.duration_s:.1f} s"),
    ]


def _plain(value: object) -> object:
    """Return a value as JSON has it: a number that is none as text."""
    return repr(value) if isinstance(value, float) and not math.isfinite(value) else value


def _shown_apart(one: object, other: object) -> tuple[str, str]:
    """Return two values so that they look unlike: floats in full where six digits do not tell them apart."""
    if isinstance(one, float) and isinstance(other, float):
        short = f"{one:g}", f"{other:g}"
        return short if short[0] != short[1] else (repr(one), repr(other))
    return str(one) or "none", str(other) or "none"
