"""Who advertises what, where it may stand, and each time it was offered."""

from billing.ads.models.campaigns import Advertiser, Campaign, CampaignChange, Creative, Flight
from billing.ads.models.charges import Charge, Credit, Share, Sharing
from billing.ads.models.days import Anomaly, FlightDay, MakeGood
from billing.ads.models.invalid import CreditPart, InvalidEvent, ShareBack
from billing.ads.models.kept import OfferDay
from billing.ads.models.learned import ChanceModel
from billing.ads.models.loads import LoadChange, LoadTrial, LoadViewer
from billing.ads.models.offers import Offer
from billing.ads.models.places import PlaceCount
from billing.ads.models.rules import AdRulesChange
from billing.ads.models.use import UseLine, UseOfCampaign, UseStatement

__all__ = [
    "AdRulesChange",
    "Advertiser",
    "Anomaly",
    "Campaign",
    "CampaignChange",
    "ChanceModel",
    "Charge",
    "Creative",
    "Credit",
    "CreditPart",
    "Flight",
    "FlightDay",
    "InvalidEvent",
    "LoadChange",
    "LoadTrial",
    "LoadViewer",
    "MakeGood",
    "Offer",
    "OfferDay",
    "PlaceCount",
    "Share",
    "ShareBack",
    "Sharing",
    "UseLine",
    "UseOfCampaign",
    "UseStatement",
]
