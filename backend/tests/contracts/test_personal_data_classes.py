"""The list of personal data and the schema say the same: what names a person is exported, erased and aged."""

import re

import pytest
import sqlalchemy as sa

from app.core.config import Settings
from app.people.personal_data import PERSONAL_DATA, Fate, PersonalData
from app.storage.tables.everything import metadata

NAMES_A_PERSON = re.compile(r"^(?:user_id|.*_user_id|author_id|owner_id|.*_by)$")
NO_PERSON = {("workspaces", "bot_user_id"), ("conversation_insights", "stated_by"), ("conversation_insights", "superseded_by"),
             ("action_plans", "made_by")}  # fmt: skip
BY_NAME = [pytest.param(data, id=data.name) for data in PERSONAL_DATA]


def test_every_column_that_names_a_person_stands_in_the_list() -> None:
    listed = {(data.table, data.owner) for data in PERSONAL_DATA}
    found = {
        (table.name, column.name)
        for table in metadata.sorted_tables
        for column in table.columns
        if NAMES_A_PERSON.match(column.name) and (table.name, column.name) not in NO_PERSON
    }
    assert found == listed


@pytest.mark.parametrize("data", BY_NAME)
def test_a_class_describes_its_table(data: PersonalData) -> None:
    columns = metadata.tables[data.table].columns
    named = {data.owner, data.order, *data.texts, *data.hidden} | ({data.age} if data.age else set())
    assert named <= set(columns.keys())
    for name, place in data.texts.items():
        assert isinstance(columns[name].type, sa.LargeBinary)
        assert set(re.findall(r"{(\w+)}", place)) <= set(columns.keys())


@pytest.mark.parametrize("data", BY_NAME)
def test_an_export_holds_texts_and_no_cipher(data: PersonalData) -> None:
    sealed = {column.name for column in metadata.tables[data.table].columns if isinstance(column.type, sa.LargeBinary)}
    assert sealed <= {*data.texts, *data.hidden}


@pytest.mark.parametrize("data", BY_NAME)
def test_what_ages_has_a_setting_in_days(data: PersonalData) -> None:
    assert (data.age is None) == (data.retention is None)
    if data.retention is not None:
        assert Settings.model_fields[data.retention].default > 0


@pytest.mark.parametrize("data", [data for data in PERSONAL_DATA if data.fate is Fate.ANONYMISE], ids=lambda data: data.name)
def test_what_stays_can_stand_without_a_name(data: PersonalData) -> None:
    assert metadata.tables[data.table].columns[data.owner].nullable
