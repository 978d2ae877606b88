package iampolicy

import (
	"slices"
	"strings"
)

// kmsActions and stsActions are all actions of these services, as the service
// authorization reference had them in November 2026
// (AUTH:list_awskeymanagementservice, AUTH:list_awssecuritytokenservice).
var (
	kmsActions = []string{
		"CancelKeyDeletion", "ConnectCustomKeyStore", "CreateAlias", "CreateCustomKeyStore", "CreateGrant", "CreateKey",
		"Decrypt", "DeleteAlias", "DeleteCustomKeyStore", "DeleteImportedKeyMaterial", "DeriveSharedSecret",
		"DescribeCustomKeyStores", "DescribeKey", "DisableKey", "DisableKeyRotation", "DisconnectCustomKeyStore",
		"EnableKey", "EnableKeyRotation", "Encrypt", "GenerateDataKey", "GenerateDataKeyPair",
		"GenerateDataKeyPairWithoutPlaintext", "GenerateDataKeyWithoutPlaintext", "GenerateMac", "GenerateRandom",
		"GetKeyLastUsage", "GetKeyPolicy", "GetKeyRotationStatus", "GetParametersForImport", "GetPublicKey",
		"ImportKeyMaterial", "ListAliases", "ListGrants", "ListKeyPolicies", "ListKeyRotations", "ListKeys",
		"ListResourceTags", "ListRetirableGrants", "PutKeyPolicy", "ReEncryptFrom", "ReEncryptTo", "ReplicateKey",
		"RetireGrant", "RevokeGrant", "RotateKeyOnDemand", "ScheduleKeyDeletion", "Sign", "SynchronizeMultiRegionKey",
		"TagResource", "UntagResource", "UpdateAlias", "UpdateCustomKeyStore", "UpdateKeyDescription",
		"UpdatePrimaryRegion", "Verify", "VerifyMac",
	}
	stsActions = []string{
		"AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "AssumeRoot", "DecodeAuthorizationMessage",
		"GetAccessKeyInfo", "GetCallerIdentity", "GetDelegatedAccessToken", "GetFederationToken", "GetServiceBearerToken",
		"GetSessionToken", "GetWebIdentityToken", "SetContext", "SetSourceIdentity", "TagGetWebIdentityToken", "TagSession",
	}
)

// UnknownAction says that S3, KMS or STS has no action of this name, and which
// one may be meant; it is empty for one that they have, in any case, and for
// all of other services, whose actions are not known here. An action with
// wildcards is not asked about.
func UnknownAction(action string) string {
	service, name, _ := strings.Cut(action, ":")
	return unknownAction(strings.ToLower(service), action, name)
}

func unknownAction(service, action, name string) string {
	known := true
	switch service {
	case "s3":
		_, known = LookupS3Action(action)
	case "kms":
		known = isOneOf(name, kmsActions)
	case "sts":
		known = isOneOf(name, stsActions)
	}
	if known {
		return ""
	}
	text := strings.ToUpper(service) + " has no action " + action
	if needed := neededBy(service, name); needed != "" {
		return text + ", and that call needs " + needed
	}
	if near := NearestAction(action); near != "" {
		text += ": did you mean " + near + "?"
	}
	return text
}

// NearestAction is the action of S3, KMS or STS that one is meant to be which
// they do not have; "" if none is near.
func NearestAction(action string) string {
	service, name, _ := strings.Cut(action, ":")
	service = strings.ToLower(service)
	var names []string
	switch service {
	case "s3":
		for _, a := range s3Actions {
			names = append(names, strings.TrimPrefix(a.Name, "s3:"))
		}
		for call := range s3Calls {
			names = append(names, call)
		}
		slices.Sort(names)
	case "kms":
		names = kmsActions
	case "sts":
		names = stsActions
	}
	near := Nearest(name, names)
	switch needed := neededBy(service, near); {
	case near == "":
		return ""
	case needed != "":
		return needed
	}
	return service + ":" + near
}

// neededBy is what a call needs whose name is no action's.
func neededBy(service, call string) string {
	switch {
	case service == "s3":
		return s3Calls[strings.ToLower(call)]
	case service == "kms" && strings.EqualFold(call, "ReEncrypt"):
		return "kms:ReEncryptFrom on the one key and kms:ReEncryptTo on the other"
	}
	return ""
}
