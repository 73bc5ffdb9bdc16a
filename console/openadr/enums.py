"""Value lists of the standard: what an enumerated element may hold, and whether ``x-`` extensions are allowed.

Every list is a StrEnum, so code reads ``SignalName.LOAD_DISPATCH`` and compares equal to the plain text of a message.
Messages themselves carry ``str``: an unknown value of a peer is kept as it came, with a finding beside it.
"""

from __future__ import annotations

from enum import StrEnum

from console.openadr.facts import EventStatus

__all__ = [
    "EventStatus",
    "OadrDataQuality",
    "OadrProfileName",
    "OadrResponseRequired",
    "OadrServiceName",
    "OadrTransportName",
    "OptReason",
    "OptType",
    "ReadingType",
    "ReportName",
    "ReportType",
    "ResponseCode",
    "SchemaVersion",
    "SiScaleCode",
    "SignalName",
    "SignalType",
]


class SchemaVersion(StrEnum):
    A = "2.0a"
    B = "2.0b"


class SignalName(StrEnum):
    SIMPLE = "SIMPLE"
    SIMPLE_A = "simple"
    ELECTRICITY_PRICE = "ELECTRICITY_PRICE"
    ENERGY_PRICE = "ENERGY_PRICE"
    DEMAND_CHARGE = "DEMAND_CHARGE"
    BID_PRICE = "BID_PRICE"
    BID_LOAD = "BID_LOAD"
    BID_ENERGY = "BID_ENERGY"
    CHARGE_STATE = "CHARGE_STATE"
    LOAD_DISPATCH = "LOAD_DISPATCH"
    LOAD_CONTROL = "LOAD_CONTROL"


class SignalType(StrEnum):
    DELTA = "delta"
    LEVEL = "level"
    MULTIPLIER = "multiplier"
    PRICE = "price"
    PRICE_MULTIPLIER = "priceMultiplier"
    PRICE_RELATIVE = "priceRelative"
    SETPOINT = "setpoint"
    LOAD_CONTROL_CAPACITY = "x-loadControlCapacity"
    LOAD_CONTROL_LEVEL_OFFSET = "x-loadControlLevelOffset"
    LOAD_CONTROL_PERCENT_OFFSET = "x-loadControlPercentOffset"
    LOAD_CONTROL_SETPOINT = "x-loadControlSetpoint"


class OptType(StrEnum):
    OPT_IN = "optIn"
    OPT_OUT = "optOut"


class OptReason(StrEnum):
    ECONOMIC = "economic"
    EMERGENCY = "emergency"
    MUST_RUN = "mustRun"
    NOT_PARTICIPATING = "notParticipating"
    OUTAGE_RUN_STATUS = "outageRunStatus"
    OVERRIDE_STATUS = "overrideStatus"
    PARTICIPATING = "participating"
    SCHEDULE = "x-schedule"


class OadrResponseRequired(StrEnum):
    ALWAYS = "always"
    NEVER = "never"


class ReportName(StrEnum):
    HISTORY_USAGE = "HISTORY_USAGE"
    HISTORY_GREENBUTTON = "HISTORY_GREENBUTTON"
    TELEMETRY_USAGE = "TELEMETRY_USAGE"
    TELEMETRY_STATUS = "TELEMETRY_STATUS"
    METADATA_HISTORY_USAGE = "METADATA_HISTORY_USAGE"
    METADATA_HISTORY_GREENBUTTON = "METADATA_HISTORY_GREENBUTTON"
    METADATA_TELEMETRY_USAGE = "METADATA_TELEMETRY_USAGE"
    METADATA_TELEMETRY_STATUS = "METADATA_TELEMETRY_STATUS"


class ReportType(StrEnum):
    READING = "reading"
    USAGE = "usage"
    DEMAND = "demand"
    SET_POINT = "setPoint"
    DELTA_USAGE = "deltaUsage"
    DELTA_SET_POINT = "deltaSetPoint"
    DELTA_DEMAND = "deltaDemand"
    BASELINE = "baseline"
    DEVIATION = "deviation"
    AVG_USAGE = "avgUsage"
    AVG_DEMAND = "avgDemand"
    OPERATING_STATE = "operatingState"
    UP_REGULATION_CAPACITY_AVAILABLE = "upRegulationCapacityAvailable"
    DOWN_REGULATION_CAPACITY_AVAILABLE = "downRegulationCapacityAvailable"
    REGULATION_SETPOINT = "regulationSetpoint"
    STORED_ENERGY = "storedEnergy"
    TARGET_ENERGY_STORAGE = "targetEnergyStorage"
    AVAILABLE_ENERGY_STORAGE = "availableEnergyStorage"
    PRICE = "price"
    LEVEL = "level"
    POWER_FACTOR = "powerFactor"
    PERCENT_USAGE = "percentUsage"
    PERCENT_DEMAND = "percentDemand"
    RESOURCE_STATUS = "x-resourceStatus"


class ReadingType(StrEnum):
    DIRECT_READ = "Direct Read"
    NET = "Net"
    ALLOCATED = "Allocated"
    ESTIMATED = "Estimated"
    SUMMED = "Summed"
    DERIVED = "Derived"
    MEAN = "Mean"
    PEAK = "Peak"
    HYBRID = "Hybrid"
    CONTRACT = "Contract"
    PROJECTED = "Projected"
    RMS = "x-RMS"
    NOT_APPLICABLE = "x-notApplicable"


class OadrDataQuality(StrEnum):
    NO_VALUE = "No Quality - No Value"
    PREVIOUS_VALUE = "No New Value - Previous Value Used"
    BAD = "Quality Bad - Non Specific"
    BAD_CONFIGURATION = "Quality Bad - Configuration Error"
    BAD_NOT_CONNECTED = "Quality Bad - Not Connected"
    BAD_DEVICE = "Quality Bad - Device Failure"
    BAD_SENSOR = "Quality Bad - Sensor Failure"
    BAD_LAST_KNOWN = "Quality Bad - Last Known Value"
    BAD_COMMUNICATION = "Quality Bad - Comm Failure"
    BAD_OUT_OF_SERVICE = "Quality Bad - Out of Service"
    UNCERTAIN = "Quality Uncertain - Non Specific"
    UNCERTAIN_LAST_USABLE = "Quality Uncertain - Last Usable Value"
    UNCERTAIN_SENSOR = "Quality Uncertain - Sensor Not Accurate"
    UNCERTAIN_UNITS = "Quality Uncertain - EU Units Exceeded"
    UNCERTAIN_SUB_NORMAL = "Quality Uncertain - Sub Normal"
    GOOD = "Quality Good - Non Specific"
    GOOD_OVERRIDE = "Quality Good - Local Override"
    LIMIT_NOT = "Quality Limit - Field/Not"
    LIMIT_LOW = "Quality Limit - Field/Low"
    LIMIT_HIGH = "Quality Limit - Field/High"
    LIMIT_CONSTANT = "Quality Limit - Field/Constant"


class OadrProfileName(StrEnum):
    A = "2.0a"
    B = "2.0b"


class OadrTransportName(StrEnum):
    SIMPLE_HTTP = "simpleHttp"
    XMPP = "xmpp"


class OadrServiceName(StrEnum):
    EI_EVENT = "EiEvent"
    EI_OPT = "EiOpt"
    EI_REPORT = "EiReport"
    EI_REGISTER_PARTY = "EiRegisterParty"
    OADR_POLL = "OadrPoll"


class SiScaleCode(StrEnum):
    PICO = "p"
    NANO = "n"
    MICRO = "micro"
    MILLI = "m"
    CENTI = "c"
    DECI = "d"
    KILO = "k"
    MEGA = "M"
    GIGA = "G"
    TERA = "T"
    NONE = "none"


class ResponseCode(StrEnum):
    """Application codes of clause 6.6; any three digits are valid, the first one decides."""

    OK = "200"
    OUT_OF_SEQUENCE = "450"
    NOT_ALLOWED = "451"
    INVALID_ID = "452"
    NOT_RECOGNIZED = "453"
    INVALID_DATA = "454"
    COMPLIANCE_ERROR = "459"
    SIGNAL_NOT_SUPPORTED = "460"
    REPORT_NOT_SUPPORTED = "461"
    TARGET_MISMATCH = "462"
    NOT_REGISTERED = "463"
    DEPLOYMENT_ERROR = "469"


RESPONSE_MEANINGS: dict[str, str] = {
    ResponseCode.OK: "OK",
    ResponseCode.OUT_OF_SEQUENCE: "out of sequence",
    ResponseCode.NOT_ALLOWED: "not allowed",
    ResponseCode.INVALID_ID: "invalid ID",
    ResponseCode.NOT_RECOGNIZED: "not recognised",
    ResponseCode.INVALID_DATA: "invalid data",
    ResponseCode.COMPLIANCE_ERROR: "compliance error",
    ResponseCode.SIGNAL_NOT_SUPPORTED: "signal not supported",
    ResponseCode.REPORT_NOT_SUPPORTED: "report not supported",
    ResponseCode.TARGET_MISMATCH: "target or market context does not match",
    ResponseCode.NOT_REGISTERED: "not registered",
    ResponseCode.DEPLOYMENT_ERROR: "deployment error",
}
"""What a responseCode means, in a few words."""
