"""Section `download` of params.yaml."""

from __future__ import annotations

from pydantic import Field

from skred.core.params import Section


class DownloadParams(Section):
    """How pixels are asked for. None of these numbers but `max_cloud_percent` changes what is downloaded."""

    workers: int = Field(ge=1, le=32)  # requests on their way at once
    max_tries: int = Field(ge=1, le=20)  # of one request, the first included
    wait_s: float = Field(ge=0, le=600)  # before the second try, then three times as long each, at most longest_wait_s
    rate_limit_wait_s: float = Field(ge=0, le=600)  # after an answer 429 that does not say how long
    longest_wait_s: float = Field(ge=0, le=86400)  # an answer 429 that asks for more ends the download
    timeout_s: float = Field(gt=0, le=3600)  # without a byte from the service
    tile_px: int = Field(ge=16, le=2500)  # largest side of one request; the service allows 2500
    page_items: int = Field(ge=1, le=100)  # catalog items in one answer; the service allows 100
    max_cloud_percent: float = Field(ge=0, le=100)  # optical acquisitions cloudier than this are left out
    budget_pu: float = Field(ge=0)  # processing units that one download may spend
    account_pu_per_month: float = Field(gt=0)  # what the account has, to compare with
    account_requests_per_month: int = Field(ge=1)
    account_pu_per_minute: float = Field(gt=0)  # kept at the real service; the offline one has no limit
    account_requests_per_minute: int = Field(ge=1)
    hub_start_s: float = Field(gt=0, le=3600)  # how long the offline service may take to start
