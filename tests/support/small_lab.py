"""A lab of edition 2026 with a record of each model, as a seed."""

from __future__ import annotations

from typing import Any


def weight(grams: float) -> dict[str, Any]:
    """The details of an entry of a weight log."""
    return {"weight": {"value": grams, "unit": "g"}}


LAB: dict[str, list[dict[str, Any]]] = {
    "users": [{"email": "colleague@lab.example", "first_name": "Grace"}],
    "groups": [
        {"name": "Theta Lab"},
        {"name": "Elsewhere", "users": {"other@elsewhere.example": {"is_owner": True}}},
    ],
    "group_membership_invitations": [
        {"user_account_invitation": "other@elsewhere.example", "authgroup": "Theta Lab"}
    ],
    "group_membership_requests": [
        {"user_account_request": "colleague@lab.example", "authgroup": "Theta Lab"}
    ],
    "laboratories": [
        {
            "group": "Theta Lab",
            "principal_investigators": ["colleague@lab.example"],
            "institution": "University",
        }
    ],
    "species": [{"name": "Rat"}],
    "strains": [{"name": "Long Evans", "species": "Rat"}],
    "suppliers": [{"name": "Charles River"}],
    "setup_types": [{"name": "Maze", "category": "F"}],
    "behavioral_categories": [{"name": "Navigation"}],
    "behavioral_paradigms": [{"name": "Alternation", "category": "Navigation"}],
    "brain_regions": [{"name": "Field CA1", "acronym": "CA1", "atlas": "AIA"}],
    "regulatoryauthorities": [{"name": "Animal Experiments Inspectorate"}],
    "consumables": [
        {"name": "Probe A1x32", "supplier": "Charles River", "type": "SiliconProbeDesign"}
    ],
    "hardwaredevices": [{"name": "Headstage", "supplier": "Charles River"}],
    "journals": [{"name": "Neuron"}],
    "publications": [
        {
            "title": "Theta sequences",
            "authors": "G. Hopper",
            "journal": "Neuron",
            "abstract": "Rats run.",
            "publication_date": "2024-03-12",
        }
    ],
    "datastorages": [{"name": "Lab server"}],
    "inventories": [
        {
            "name": "Freezer",
            "consumable_stocks": [{"type": "SiliconProbe", "consumable": "Probe A1x32"}],
        }
    ],
    "licenses": [
        {
            "name": "Rat license",
            "type": "animal_research_authorization",
            "status": "active",
            "license_holders": ["colleague@lab.example"],
        }
    ],
    "setups": [
        {
            "name": "Maze room",
            "setup_type": "Maze",
            "equipment": [
                {
                    "name": "Camera",
                    "type": "Camera",
                    "coordinates_system": "External_XYZ_Absolute",
                    "hardwaredevice": "Headstage",
                }
            ],
        }
    ],
    "behavioralassays": [
        {"name": "Forced", "setup_type": "Maze", "behavioral_paradigm": "Alternation"}
    ],
    "projects": [
        {
            "name": "Theta",
            "publications": ["Theta sequences"],
            "cohorts": [{"name": "Cohort A", "subjects": ["rat12"]}],
            "collections": [{"name": "Best", "sessions": ["rat12_1"]}],
            "breedings": [{"name": "Litter 1", "mother": "rat11", "father": "rat12"}],
        }
    ],
    "project_membership_invitations": [
        {"invitee": "other@elsewhere.example", "project": "Theta", "can_change": True}
    ],
    "project_group_membership_invitations": [
        {"invitee": "Elsewhere", "project": "Theta", "manage_project": True}
    ],
    "subjects": [
        {"name": "rat11", "projects": ["Theta"], "strain": "Long Evans", "sex": "F"},
        {
            "name": "rat12",
            "projects": ["Theta"],
            "strain": "Long Evans",
            "sex": "M",
            "licenses": ["Rat license"],
            "procedures": [
                {
                    "key": "probe-a",
                    "type": "SiliconProbeImplant",
                    "coordinates_system": "Stereotaxic_BregmaAbsolute",
                    "brain_region": "AIA/CA1",
                    "equipment": ["Maze room/Camera"],
                    "procedure_logs": [
                        {
                            "type": "LinearDisplacement",
                            "entries": [
                                {
                                    "date_time": "2024-03-12T08:00:00Z",
                                    "notes": "down",
                                    "details": {"displacement": {"value": 125, "unit": "µm"}},
                                }
                            ],
                        }
                    ],
                }
            ],
            "subject_logs": [
                {
                    "key": "weight",
                    "type": "Weighing",
                    "entries": [
                        {"date_time": "2024-03-11T08:00:00Z", "details": weight(312)},
                        {"date_time": "2024-03-12T08:00:00Z", "details": weight(315)},
                    ],
                },
                {"key": "cage", "type": "Housing"},
            ],
        },
    ],
    "sessions": [
        {
            "name": "rat12_1",
            "projects": ["Theta"],
            "datastorage": ["Lab server"],
            "behaviors": [
                {"subjects": ["rat12"], "setup": "Maze room", "behavioralassay": "Forced"}
            ],
            "data_acquisitions": [
                {"key": "a", "type": "ExtracellularEphys", "procedures": ["rat12/probe-a"]}
            ],
            "manipulations": [{"type": "OptogeneticStimulation", "procedures": ["rat12/probe-a"]}],
        }
    ],
    "epochs": [{"session": "rat12_1", "name": "first", "dataacquisition": "rat12_1/a"}],
}
