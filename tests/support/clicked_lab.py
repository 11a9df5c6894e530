"""A lab whose records were clicked in: five animals and 25 sessions, as a seed of edition 2026."""

from __future__ import annotations

from typing import Any

from tests.support.small_lab import LAB

Seed = dict[str, list[dict[str, Any]]]

SHARED = ("species", "strains", "suppliers", "setup_types", "behavioral_categories")
MORE = ("behavioral_paradigms", "brain_regions", "consumables", "hardwaredevices")


def quantity(value: float, unit: str) -> dict[str, Any]:
    return {"value": value, "unit": unit}


def clicked_lab() -> Seed:
    """The seed."""
    return {
        **{name: LAB[name] for name in (*SHARED, *MORE)},
        "datastorages": [{"name": "Lab server"}],
        "inventories": [
            {
                "name": "Freezer",
                "consumable_stocks": [{"type": "SiliconProbe", "consumable": "Probe A1x32"}],
            }
        ],
        "setups": [_setup("Maze room"), _setup("Home cage")],
        "behavioralassays": [
            {"name": name, "setup_type": "Maze", "behavioral_paradigm": "Alternation"}
            for name in ("Forced alternation", "Sleep")
        ],
        "projects": [
            {"name": "Theta Maze", "description": "Theta rhythms on the maze.", "tags": ["theta"]},
            {"name": "Sleep: replay", "is_public": True},
        ],
        "subjects": [_animal(number) for number in (7, 8, 12, 13)]
        + [{"name": "pilot", "projects": ["Theta Maze"], "strain": "Long Evans", "sex": "U"}],
        "sessions": [_session(number) for number in range(25)],
    }


def _setup(name: str) -> dict[str, Any]:
    camera = {
        "name": "Camera",
        "type": "Camera",
        "coordinates_system": "External_XYZ_Absolute",
        "hardwaredevice": "Headstage",
    }
    return {"name": name, "setup_type": "Maze", "location": f"{name}, B1", "equipment": [camera]}


def _animal(number: int) -> dict[str, Any]:
    name = f"rat{number:02}"
    return {
        "name": name,
        "projects": ["Theta Maze", "Sleep: replay"] if number == 12 else ["Theta Maze"],
        "strain": "Long Evans",
        "sex": "M" if number % 2 else "F",
        "birth_date": f"2023-11-{number:02}",
        "description": "Left-handed.\nDrinks little." if number == 12 else "",
        "status": "active",
        "procedures": [_implant(side, number) for side in ("left", "right")[: number % 3 + 1]],
        "subject_logs": [
            {
                "key": f"{name}-weight",
                "type": "Weighing",
                "entries": [
                    {
                        "date_time": f"2024-03-{day:02}T08:00:00Z",
                        "details": {"weight": quantity(300 + number + day, "g")},
                    }
                    for day in (3, 1, 2)
                ],
            }
        ],
    }


def _implant(side: str, number: int) -> dict[str, Any]:
    return {
        "key": f"{side}-{number}",
        "type": "SiliconProbeImplant",
        "date_time": f"2024-01-{number:02}T1{len(side)}:00:00Z",
        "notes": f"{side} hemisphere",
        "coordinates_system": "Stereotaxic_BregmaAbsolute",
        "coordinates_details": {
            "apCoordinate": quantity(-3.8, "mm"),
            "mlCoordinate": quantity(-2.6 if side == "left" else 2.6, "mm"),
            "dvCoordinate": quantity(2.4, "mm"),
        },
        "brain_region": "AIA/CA1",
        "details": {"probeId": f"A{number}"},
    }


def _session(number: int) -> dict[str, Any]:
    animal, day = (7, 8, 12, 13)[number % 4], number // 2 * 3 + 1
    month, kind = 3 + day // 29, ("maze", "sleep")[number % 2]
    name = f"rat{animal:02}_2024-{month:02}-{day % 29 + 1:02}_{kind}"
    data = [
        {
            "key": f"{number}-ephys",
            "type": "ExtracellularEphys",
            "procedures": [f"rat{animal:02}/left-{animal}"],
            "details": {"nChannels": 64, "sr": quantity(30 if number < 20 else 20, "kHz")},
        }
    ]
    if kind == "maze":
        video = {"type": "VideoTracking", "details": {"frameRate": quantity(30, "Hz")}}
        data.append({"key": f"{number}-video", **video})
    session = {
        "name": name,
        "projects": ["Theta Maze"],
        "date_time": f"2024-{month:02}-{day % 29 + 1:02}T{9 + number % 2 * 4:02}:00:00Z",
        "datastorage": ["Lab server"],
        "tags": [kind],
        "extra_fields": {"room": "B115", "trials": 40 + number} if kind == "maze" else {},
        "behaviors": [
            {
                "subjects": [f"rat{animal:02}"],
                "setup": "Maze room" if kind == "maze" else "Home cage",
                "behavioralassay": "Forced alternation" if kind == "maze" else "Sleep",
            }
        ],
        "data_acquisitions": data,
    }
    if number % 8 == 2:
        session["manipulations"] = [
            {
                "type": "OptogeneticStimulation",
                "procedures": [f"rat{animal:02}/left-{animal}"],
                "notes": "Light on every other lap.",
            }
        ]
    if number == 24:
        del session["date_time"]
    return session
