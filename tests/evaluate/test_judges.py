import json
import shutil

import pytest

from stmviewer import paths
from stmviewer.evaluate import judges
from stmviewer.scan import FileError

SHIPPED = paths.shipped_models()
pytestmark = pytest.mark.skipif(not (SHIPPED / judges.LIST).is_file(), reason="models/ has no weights")


def test_every_shipped_judge_is_the_listed_one_and_has_a_card():
    listed = json.loads((SHIPPED / judges.LIST).read_text(encoding="utf-8"))
    assert "efficientnet-lite0" in listed
    for name, facts in listed.items():
        assert judges.weights(name).is_file()
        card = (SHIPPED / f"{name}.md").read_text(encoding="utf-8")
        assert facts["licence"] in card
        assert facts["kind"]
        assert facts["summary"]


def test_judges_are_not_offered_as_models():
    from stmviewer.restore import library

    listed = json.loads((SHIPPED / judges.LIST).read_text(encoding="utf-8"))
    assert not set(listed) & {m.name for m in library.model_infos()}


def test_wrong_missing_and_unlisted_weights_are_errors(tmp_path):
    with pytest.raises(FileError, match="does not name"):
        judges.weights("any", tmp_path)
    path = tmp_path / "any.safetensors"
    path.write_bytes(b"weights")
    judges.register("any", tmp_path, "embedding", "MIT", "for tests")
    assert judges.weights("any", tmp_path) == path
    path.write_bytes(b"others")
    with pytest.raises(FileError, match="wrong hash"):
        judges.weights("any", tmp_path)
    path.unlink()
    with pytest.raises(FileError, match="missing"):
        judges.weights("any", tmp_path)
    shutil.copy(SHIPPED / judges.LIST, tmp_path / judges.LIST)
    with pytest.raises(FileError, match="does not name 'any'"):
        judges.weights("any", tmp_path)
