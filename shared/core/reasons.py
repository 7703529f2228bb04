"""Why a request got its reply: the stable codes of the log, with cause and cure.

The codes are an interface: people alert on them. ``docs/reasons.md`` shows the
same table, and a test compares the two. Codes never reach a caller, except in the
``400`` and ``411`` replies, whose callers have shown a valid token.
"""

from shared.core.explained import ExplainedCode

FORGED = "Nothing to do: forged tokens look like this."
COMPARE = "Compare what was sent with the Graph documentation."
GRAPH_HEALTH = "Check Graph's service health and throttling (429) for this application."


class Reason(ExplainedCode):
    """Why a request got its reply, or what was noticed beside the decision."""

    # --- taken -----------------------------------------------------------------
    LEGACY_PROTOCOL = ("legacy-protocol", "Legacy protocol: 204 asks for Graph's.")
    REDIRECTED = ("redirected", "The rules send the call to another region.")
    EVACUATED = (
        "evacuated",
        "This region cannot answer at present, so another one gets the call.",
        "Look at answering in /api/health, and at the errors before this.",
    )
    ANSWERED = ("answered", "Graph accepted the answer.")
    ALREADY_ANSWERED = ("already-answered", "The call came again, answered already.")
    ALREADY_HANDLED = (
        "already-handled",
        "The call or event came again, or the event came after the call's end.",
    )
    CALL_REJECTED = ("call-rejected", "The bot rejected the call.")
    CALL_REDIRECTED = ("call-redirected", "The bot sent the call on.")
    HANDLED = ("handled", "The bot handled the event and its actions.")
    ANSWERING_OFF = ("answering-off", "CALLING_ANSWER is false: no answer.")
    FOLLOW_UP = ("follow-up", "No handler of the bot takes this event.")
    INCOMING_ON_CALLBACK = (
        "incoming-on-callback",
        "An incoming call came on the callback route; it is not answered there.",
        "Register /api/calls, without a partition, as the bot's calling webhook.",
    )
    PARTICIPANT_JOINING = (
        "participant-joining",
        "A participant joins, and the bot has no handler that would decide about it.",
        "Add a handler of participant_joining to shared/bot.py.",
    )
    EMPTY_BATCH = ("empty-batch", "The list of notifications is empty.")
    UNREADABLE_ITEM = (
        "unreadable-item",
        "An item, or the call of a joining participant, has no valid call id.",
        "Compare what the platform sends with the Graph documentation.",
    )
    BATCH = ("batch", "Several notifications; see items.")

    # --- noticed beside the decision ---------------------------------------------
    TENANT_DIFFERS = (
        "tenant-differs",
        "The notification names another tenant than the token; the token counts.",
        "Expected if the call crosses tenants; otherwise check who sent it.",
    )
    CALL_ID_DIFFERS = (
        "call-id-differs",
        "resourceData.id differs from the URL, which counts.",
    )
    REDIRECT_SUPPRESSED = (
        "redirect-suppressed",
        "The rules name another region, but the call was redirected once already.",
        "Make CALLING_REGION_RULES and CALLING_REGION_HOSTS equal in all regions.",
    )
    REGION_UNHEALTHY = (
        "region-unhealthy",
        "A region that the rules prefer is not healthy and was passed over.",
        "Look at that region's /api/health.",
    )
    PARTITION_UNLISTED = (
        "partition-unlisted",
        "Its partition is not in CALLING_PARTITIONS.",
        "Expected after it was removed: its last calls still come.",
    )

    # --- answers that failed -----------------------------------------------------
    CALL_OVER = (
        "call-over",
        "Graph no longer knows the call: it ended, or the answer came too late.",
        "If frequent, check duration_ms: a cold start or slow credential is likely.",
    )
    ANSWER_PRESUMED = (
        "answer-presumed",
        "Graph refused a repeated answer after an earlier attempt's reply was lost.",
        "Look for follow-ups of the call: if they came, it was answered.",
    )
    ANSWER_REFUSED = (
        "answer-refused",
        "Graph refused the answer; repeating cannot help.",
        "Look up graph_code; check the application's Graph permissions.",
    )
    ANSWER_UNAVAILABLE = (
        "answer-unavailable",
        "Graph did not accept the answer within the time budget.",
        GRAPH_HEALTH,
    )
    RECORDING_UNHANDLED = (
        "recording-unhandled",
        "A policy wants the call recorded; no handler took it, so it was rejected.",
        "Take this bot out of the recording policy, or put a recorder in its place.",
    )
    BOT_FAILED = (
        "bot-failed",
        "A handler of the bot failed, took too long or returned what it may not.",
        "Look at the file, line and function that the line names, in shared/bot.py.",
    )
    ACTION_REFUSED = (
        "action-refused",
        "Graph refused an action of the bot; repeating cannot help.",
        "Look up graph_code under actions; check the application's Graph permissions.",
    )
    ACTION_UNAVAILABLE = (
        "action-unavailable",
        "Graph did not take an action of the bot in time, or its reply was lost.",
        GRAPH_HEALTH,
    )
    DELIVERED = ("delivered", "The instance took it.")
    DELIVERY_UNAVAILABLE = (
        "delivery-unavailable",
        "The instance did not take it in time, or too many deliveries were under way.",
        "Look at the instance that the line names, and at delivery_status.",
    )
    DELIVERY_REFUSED = (
        "delivery-refused",
        "The instance refused it; repeating cannot help.",
        "Check the instance's URL and how it validates tokens; see delivery_status.",
    )
    INSTANCE_WITHOUT_CALL = (
        "instance-without-call",
        "The instance does not have that call (404 or 410).",
        "Expected after a restart of the instance: its calls are lost.",
    )
    STATE_UNAVAILABLE = (
        "state-unavailable",
        "What the bot remembers of the call could not be read or kept in time.",
        "Check the store at CALLING_STATE_URL and the identity's role on it.",
    )
    CREDENTIAL_REFUSED = (
        "credential-refused",
        "Entra refuses the bot's credential in this tenant; repeating cannot help.",
        "Look up entra_code: an expired secret, or no consent of the tenant's admin.",
    )
    REGION_REQUIRED = (
        "region-required",
        "A strict region rule bars this region, and no other one could get the call.",
        "Check the health of the rule's regions; all regions need the same rules.",
    )
    CREDENTIAL_UNAVAILABLE = (
        "credential-unavailable",
        "No token for Graph was obtained within the time budget.",
        "Check the credential settings, the federated credential and the login URL.",
    )

    # --- refused: the token --------------------------------------------------------
    AUTHORIZATION_MISSING = (
        "authorization-missing",
        "There is no Authorization header, so this was not the calling platform.",
        "Expected from scanners; otherwise look for a proxy that drops the header.",
    )
    AUTHORIZATION_MALFORMED = (
        "authorization-malformed",
        "Authorization is not exactly one Bearer token.",
        "Expected from scanners; otherwise look for a proxy that adds a header.",
    )
    TOKEN_TOO_LARGE = (
        "token-too-large",
        "The token is over 16 KiB, or its header part over 1,024 characters.",
        "Nothing to do: the platform's tokens are about 1 KiB.",
    )
    TOKEN_MALFORMED = (
        "token-malformed",
        "The token is not a compact JWS of canonical base64url and strict JSON.",
        "Nothing to do: the platform's tokens are well formed.",
    )
    TOKEN_ALGORITHM = ("token-algorithm", "The token's algorithm is not RS256.", FORGED)
    TOKEN_HEADER = (
        "token-header",
        "The token's header has a type or an extension that is never accepted.",
        FORGED,
    )
    TOKEN_KEY_ID = (
        "token-key-id",
        "The token's key id is missing, over 256 characters or not printable ASCII.",
        FORGED,
    )
    SIGNING_KEY_UNKNOWN = (
        "signing-key-unknown",
        "No signing key of the platform has this key id.",
        "Expected from forgeries; otherwise check CALLING_OPENID_CONFIGURATION_URL.",
    )
    SIGNATURE_INVALID = (
        "signature-invalid",
        "The signature does not match the key.",
        "Nothing to do: this is a forgery or a damaged token.",
    )
    CLAIMS_MALFORMED = (
        "claims-malformed",
        "A claim is missing or has the wrong JSON type.",
        "If the platform sends it, compare the claims with docs/security.md.",
    )
    ISSUER_REFUSED = (
        "issuer-refused",
        "The token's issuer is not one of CALLING_ISSUERS.",
        "If the platform sends it, add the issuer to CALLING_ISSUERS.",
    )
    ISSUER_ENTRA = (
        "issuer-entra",
        "The token was issued by Microsoft Entra, not by the calling platform.",
        "If genuine calls get this, the platform has changed: update this product.",
    )
    AUDIENCE_REFUSED = (
        "audience-refused",
        "The token's audience is not MicrosoftAppId.",
        "Compare MicrosoftAppId with the application ID of the bot's registration.",
    )
    TENANT_MISSING = (
        "tenant-missing",
        "The token names no tenant: chat channel tokens look like this.",
        "Point the bot's messaging endpoint elsewhere: this webhook only takes calls.",
    )
    TOKEN_EXPIRED = (
        "token-expired",
        "The token has expired.",
        "If frequent, check this machine's clock; otherwise it is a replay.",
    )
    TOKEN_NOT_YET_VALID = (
        "token-not-yet-valid",
        "The token is not valid yet.",
        "Check this machine's clock and CALLING_TOKEN_LEEWAY_SECONDS.",
    )
    TOKEN_LIFETIME = (
        "token-lifetime",
        "The token ends before it starts or lives longer than 24 hours.",
        "Nothing to do: the platform's tokens live minutes.",
    )

    # --- refused: the rest ----------------------------------------------------------
    BODY_TOO_LARGE = (
        "body-too-large",
        "The body is over 1 MiB.",
        "Nothing to do: notifications are a few KiB.",
    )
    TENANT_REFUSED = (
        "tenant-refused",
        "The token's tenant is not in CALLING_TENANTS.",
        "Add the tenant to CALLING_TENANTS if it may call.",
    )
    PARTITION_UNKNOWN = (
        "partition-unknown",
        "The partition in the callback URL is not a valid name.",
        "Nothing to do: this product never hands out such a callbackUri.",
    )
    BODY_EMPTY = (
        "body-empty",
        "The body is empty.",
        "If the platform sends it, see the open reports on empty call events.",
    )
    LENGTH_REQUIRED = (
        "length-required",
        "The request had Transfer-Encoding; the host passes such bodies on empty.",
        "Send Content-Length; look for a proxy that re-encodes bodies.",
    )
    BODY_NOT_JSON = ("body-not-json", "The body is no strict JSON in UTF-8.", COMPARE)
    BODY_NOT_OBJECT = ("body-not-object", "The body is JSON, but no object.", COMPARE)
    TOO_MANY_ITEMS = (
        "too-many-items",
        "The list has more than 100 notifications.",
        "Nothing to do: the platform sends a handful in one POST.",
    )
    PROTOCOL_UNKNOWN = (
        "protocol-unknown",
        "The body is neither a Graph nor a legacy notification.",
        "If the platform sends it, the protocol has changed: report it.",
    )

    # --- unavailable ------------------------------------------------------------------
    SETTINGS_UNUSABLE = (
        "settings-unusable",
        "The app settings have problems.",
        "Read the problems in /api/health or in the log, and fix each setting.",
    )
    SIGNING_KEYS_NONE = (
        "signing-keys-none",
        "No signing keys were obtained since the start, or none for 24 h.",
        "Read keys.refresh-failed in the log; check the connection to the provider.",
    )
    UNEXPECTED_ERROR = (
        "unexpected-error",
        "Something failed that never should: this is a defect of the product.",
        "Report the type, file, line and function that the line names.",
    )
