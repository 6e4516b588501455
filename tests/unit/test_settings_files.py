"""Settings that come from files: their values, where they are kept, and what the log at a worker's start shows."""

from pathlib import Path

from streams.settings import Settings, load_settings


def test_a_value_can_come_from_a_file(tmp_path: Path) -> None:
    """The newline that editors put at the end of a file does not belong to the secret."""
    (tmp_path / "key").write_text("k-1\n")

    settings = load_settings({"CUSTOMERIO_TRACK_API_KEY_FILE": str(tmp_path / "key")})

    assert settings.customerio_track_api_key is not None
    assert settings.customerio_track_api_key.get_secret_value() == "k-1"


def test_settings_keep_which_of_them_came_from_which_file(tmp_path: Path) -> None:
    """Also through changes, so that whoever needs a value can read it again."""
    (tmp_path / "id").write_text("s-1")
    environ = {"CUSTOMERIO_SITE_ID_FILE": str(tmp_path / "id"), "CUSTOMERIO_TRACK_API_KEY": "k-1"}
    settings = load_settings(environ).with_changes(topic_partitions=3)

    assert settings.files == {"customerio_site_id": tmp_path / "id"}


def test_the_list_of_files_is_no_setting() -> None:
    """Variables called so belong to somebody else."""
    assert load_settings({"FILES": "{}", "FILES_FILE": "/nowhere", "FILE": "x"}) == Settings()


def test_masked_settings_hide_what_is_secret(tmp_path: Path) -> None:
    """A secret that is set shows as stars, one that is not as None; where it stands is no secret."""
    (tmp_path / "key").write_text("k-1")
    path = str(tmp_path / "key")
    settings = load_settings({"CUSTOMERIO_TRACK_API_KEY_FILE": path, "CUSTOMERIO_SITE_ID": "s-1"})
    masked = settings.masked()

    assert masked["customerio_track_api_key"] == "***"
    assert masked["customerio_track_api_key_file"] == path
    assert masked["customerio_app_api_key"] is None
    assert masked["customerio_site_id"] == "***"
    assert masked["topic_partitions"] == 12
    assert "files" not in masked
    assert "k-1" not in f"{masked} {settings!r} {settings}"
    assert "s-1" not in f"{masked} {settings!r} {settings}"
