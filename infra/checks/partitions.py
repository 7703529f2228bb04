"""The partitions of a region: instances are regional, so each region has its own.

The app's own reader checks them, as it does the settings: see ``app_settings``.
"""

import json

from infra.checks.notes import Json, Notes, objects

_SETTING = "CALLING_PARTITIONS"


def check_partitions(partitions: Json, place: str, notes: Notes) -> None:
    """Note what the app would refuse in the partitions of one region."""
    if type(partitions) not in {list, dict}:
        sentence = "must be a list of names, or an object of names and URLs."
        notes.note(place, sentence)
        return
    try:
        from shared.instance_settings import read_delivery  # noqa: PLC0415
        from shared.setting_reader import SettingReader  # noqa: PLC0415
    except ImportError:
        # It needs packages; ``check_app_settings`` tells that there was no check.
        return
    reader = SettingReader({_SETTING: json.dumps(partitions)})
    read_delivery(reader, own_hosts=[])
    for problem in reader.problems:
        setting, _, sentence = problem.partition(": ")
        # How to deliver is a setting of all regions, and not read here.
        if setting == _SETTING:
            notes.note(place, sentence)


def check_one_place(regions: Json, settings: Json, notes: Notes) -> None:
    """Note partitions of regions beside partitions for all regions."""
    codes = [region for _, region in objects(regions) if "partitions" in region]
    if codes and type(settings) is dict and _SETTING in settings:
        sentence = "is for all regions, but some have partitions of their own."
        notes.note(f"settings.{_SETTING}", sentence)
