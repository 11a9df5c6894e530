from stemctl.util.suggest import nearest

FIELDS = ["name", "description", "projects", "date_time", "tags", "extra_fields"]


def test_the_nearest_comes_first():
    assert nearest("descripton", FIELDS) == ["description"]
    assert nearest("Theta Maze Sudy", ["Theta Maze", "Theta Maze Study", "Sleep"]) == [
        "Theta Maze Study",
        "Theta Maze",
    ]


def test_case_does_not_matter():
    assert nearest("TAGS", FIELDS) == ["tags"]
    assert nearest("url", ["Repository", "URL"]) == ["URL"]


def test_what_is_not_plausible_is_not_proposed():
    assert nearest("subject", FIELDS) == []
    assert nearest("", FIELDS) == []


def test_no_more_than_asked_for_and_none_twice():
    assert nearest("rat1", ["rat12", "rat13", "rat14", "rat15", "rat12"]) == [
        "rat12",
        "rat13",
        "rat14",
    ]
    assert nearest("rat1", ["rat12", "rat13"], most=1) == ["rat12"]
