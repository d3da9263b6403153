import zlib

from workspace.fhir import parameters


def test_every_type_of_the_home_can_be_searched_by_id_and_time_of_change():
    for each in parameters.types():
        assert {"_id", "_lastUpdated"} <= parameters.definitions(each).keys()


def test_a_types_parameters_fit_in_a_column_of_bits():
    assert all(len(parameters.definitions(each)) < 63 for each in parameters.types())


def test_no_two_parameters_share_a_key():
    names = [f"{kind}.{name}" for kind in parameters.types() for name in parameters.definitions(kind)]
    assert len({zlib.crc32(each.encode()) for each in names}) == len(names)


def test_the_clinical_time_is_a_date():
    timed = [known for each in parameters.types() if (known := parameters.clinical_time(each))]
    assert len(timed) > 25
    assert {each.kind for each in timed} == {"date"}


def test_an_unknown_type_has_nothing():
    assert parameters.definitions("Spaceship") == {}
    assert parameters.definition("Patient", "colour") is None
