package sandbox

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/xshare/xshare/internal/iampolicy"
)

// What all keys here are.
const (
	keySpec  = "SYMMETRIC_DEFAULT"
	keyUsage = "ENCRYPT_DECRYPT"
)

func kmsKeyOperations() jsonOperations {
	return jsonOperations{
		"CreateKey":           reading(createKey),
		"DescribeKey":         reading(describeKey),
		"ListKeys":            reading(listKeys2),
		"EnableKey":           reading(enableKey),
		"DisableKey":          reading(disableKey),
		"ScheduleKeyDeletion": reading(scheduleKeyDeletion),
		"CancelKeyDeletion":   reading(cancelKeyDeletion),
		"TagResource":         reading(tagKey),
		"UntagResource":       reading(untagKey),
		"ListResourceTags":    reading(listKeyTags),
	}
}

// kmsTag is a tag in KMS's words.
type kmsTag struct{ TagKey, TagValue string }

type keyMetadata struct {
	AWSAccountID          string `json:"AWSAccountId"`
	KeyID                 string `json:"KeyId"`
	ARN                   string `json:"Arn"`
	CreationDate          seconds
	Enabled               bool
	Description           string
	KeyUsage              string
	KeyState              string
	DeletionDate          *seconds `json:",omitempty"`
	Origin                string
	KeyManager            string
	CustomerMasterKeySpec string
	KeySpec               string
	EncryptionAlgorithms  []string
	MultiRegion           bool
}

func (k *kmsKey) metadata() keyMetadata {
	m := keyMetadata{
		AWSAccountID: k.Account, KeyID: k.ID, ARN: k.ARN, CreationDate: seconds{k.Created}, Enabled: k.state() == "Enabled",
		Description: k.Description, KeyUsage: keyUsage, KeyState: k.state(), Origin: "AWS_KMS", KeyManager: "CUSTOMER",
		CustomerMasterKeySpec: keySpec, KeySpec: keySpec, EncryptionAlgorithms: []string{keySpec},
	}
	if k.Managed {
		m.KeyManager = "AWS"
	}
	if !k.Deletion.IsZero() {
		m.DeletionDate = &seconds{k.Deletion}
	}
	return m
}

type createKeyInput struct {
	Policy                         *string
	Description                    string
	KeyUsage                       string
	KeySpec                        string
	CustomerMasterKeySpec          string
	Origin                         string
	MultiRegion                    bool
	BypassPolicyLockoutSafetyCheck bool
	Tags                           []kmsTag
}

func createKey(c *call, in *createKeyInput) (any, error) {
	for what, v := range map[string][2]string{
		"key usage": {in.KeyUsage, keyUsage}, "key spec": {in.KeySpec, keySpec}, "key spec ": {in.CustomerMasterKeySpec, keySpec}, "origin": {in.Origin, "AWS_KMS"},
	} {
		if v[0] != "" && v[0] != v[1] {
			return nil, notImplemented("the %s %s of CreateKey: its keys are %s", strings.TrimSpace(what), v[0], v[1])
		}
	}
	if in.MultiRegion {
		return nil, notImplemented("multi-Region keys")
	}
	tags, err := kmsTags(in.Tags)
	if err != nil {
		return nil, err
	}
	context := tagKeys(tags, map[string][]string{
		"kms:CallerAccount": {c.caller.Account}, "kms:KeySpec": {keySpec}, "kms:KeyUsage": {keyUsage}, "kms:KeyOrigin": {"AWS_KMS"}, "kms:MultiRegion": {"false"},
		"kms:BypassPolicyLockoutSafetyCheck": {strconv.FormatBool(in.BypassPolicyLockoutSafetyCheck)},
	})
	if err := c.authorize(permission{action: "kms:CreateKey", resource: "*", context: context}); err != nil {
		return nil, err
	}
	if len(tags) > 0 {
		// By the caller's own policies: the key has none yet.
		delegated, err := c.server.document(defaultKeyPolicy(c.server.arn("iam", "", c.caller.Account, "root")))
		if err != nil {
			return nil, err
		}
		p := permission{action: "kms:TagResource", resource: c.server.arn("kms", c.credential.region, c.caller.Account, "key/new"), context: context}
		p.policy = &iampolicy.Named{Name: "key policy", Document: delegated}
		if err := c.authorize(p); err != nil {
			return nil, err
		}
	}
	policy := boundPolicy{Text: defaultKeyPolicy(c.server.arn("iam", "", c.caller.Account, "root"))}
	if in.Policy != nil {
		if policy, err = c.checkKeyPolicy(*in.Policy, in.BypassPolicyLockoutSafetyCheck); err != nil {
			return nil, err
		}
	}
	k := c.server.newKey(c.caller.Account, c.credential.region, c.now)
	k.Policy, k.Description, k.Tags = policy, in.Description, tags
	c.resource = k.ARN
	return struct{ KeyMetadata keyMetadata }{k.metadata()}, nil
}

// tagKeys adds the condition keys of the tags in a request.
func tagKeys(tags []tag, context map[string][]string) map[string][]string {
	for _, t := range tags {
		context["aws:RequestTag/"+t.Key] = []string{t.Value}
		context["aws:TagKeys"] = append(context["aws:TagKeys"], t.Key)
	}
	return context
}

// kmsTags refuses what KMS refuses in a set of tags.
func kmsTags(in []kmsTag) ([]tag, error) {
	var tags []tag
	seen := map[string]bool{}
	for _, t := range in {
		switch {
		case t.TagKey == "" || len([]rune(t.TagKey)) > 128 || len([]rune(t.TagValue)) > 256:
			return nil, kmsFault("TagException", "A tag has a key of 1 to 128 characters and a value of at most 256")
		case strings.HasPrefix(strings.ToLower(t.TagKey), "aws:"):
			return nil, kmsFault("TagException", "Tag keys cannot begin with aws:")
		case seen[t.TagKey]:
			return nil, kmsFault("TagException", "Duplicate tag keys")
		}
		seen[t.TagKey] = true
		tags = append(tags, tag{t.TagKey, t.TagValue})
	}
	if len(tags) > 50 {
		return nil, kmsFault("LimitExceededException", "A key can have at most 50 tags")
	}
	return tags, nil
}

type keyInput struct {
	KeyID       string   `json:"KeyId"`
	GrantTokens []string // all grants are in effect at once, so tokens tell nothing
}

func describeKey(c *call, in *keyInput) (any, error) {
	k, err := c.onKey("kms:DescribeKey", in.KeyID, nil)
	if err != nil {
		return nil, err
	}
	return struct{ KeyMetadata keyMetadata }{k.metadata()}, nil
}

// listKeys2 is ListKeys; listKeys lists the keys of S3's objects.
func listKeys2(c *call, in *kmsPaging) (any, error) {
	if err := c.authorize(permission{action: "kms:ListKeys", resource: "*"}); err != nil {
		return nil, err
	}
	type listed struct {
		KeyID string `json:"KeyId"`
		ARN   string `json:"KeyArn"`
	}
	var list []listed
	for id, k := range c.server.world.KMS.Keys {
		if k.Account == c.caller.Account && k.Region == c.credential.region && c.server.living(id) != nil {
			list = append(list, listed{k.ID, k.ARN})
		}
	}
	list, next, err := kmsPage(list, func(v listed) string { return v.KeyID }, *in)
	return struct {
		Keys []listed
		kmsPaged
	}{list, next}, err
}

func enableKey(c *call, in *struct {
	KeyID string `json:"KeyId"`
},
) (any, error) {
	k, err := c.onOwnKey("kms:EnableKey", in.KeyID, nil)
	if err == nil {
		err = k.kept()
	}
	if err == nil {
		k.Disabled = false
	}
	return nil, err
}

func disableKey(c *call, in *struct {
	KeyID string `json:"KeyId"`
},
) (any, error) {
	k, err := c.onOwnKey("kms:DisableKey", in.KeyID, nil)
	if err == nil {
		err = k.kept()
	}
	if err == nil {
		k.Disabled = true
	}
	return nil, err
}

func scheduleKeyDeletion(c *call, in *struct {
	KeyID               string `json:"KeyId"`
	PendingWindowInDays *int
},
) (any, error) {
	days := 30
	if in.PendingWindowInDays != nil {
		days = *in.PendingWindowInDays
	}
	k, err := c.onOwnKey("kms:ScheduleKeyDeletion", in.KeyID, map[string][]string{"kms:ScheduleKeyDeletionPendingWindowInDays": {strconv.Itoa(days)}})
	if err != nil {
		return nil, err
	}
	if days < 7 || days > 30 {
		return nil, kmsInvalid("PendingWindowInDays must be between 7 and 30")
	}
	if err := k.kept(); err != nil {
		return nil, err
	}
	k.Deletion = c.now.Add(time.Duration(days) * 24 * time.Hour)
	return struct {
		KeyID               string `json:"KeyId"`
		DeletionDate        seconds
		KeyState            string
		PendingWindowInDays int
	}{k.ARN, seconds{k.Deletion}, k.state(), days}, nil
}

// cancelKeyDeletion leaves the key disabled.
func cancelKeyDeletion(c *call, in *struct {
	KeyID string `json:"KeyId"`
},
) (any, error) {
	k, err := c.onOwnKey("kms:CancelKeyDeletion", in.KeyID, nil)
	if err != nil {
		return nil, err
	}
	if k.Deletion.IsZero() {
		return nil, kmsFault("KMSInvalidStateException", "%s is not pending deletion.", k.ARN)
	}
	k.Deletion, k.Disabled = time.Time{}, true
	return struct {
		KeyID string `json:"KeyId"`
	}{k.ARN}, nil
}

func tagKey(c *call, in *struct {
	KeyID string `json:"KeyId"`
	Tags  []kmsTag
},
) (any, error) {
	tags, err := kmsTags(in.Tags)
	if err != nil {
		return nil, err
	}
	k, err := c.onOwnKey("kms:TagResource", in.KeyID, tagKeys(tags, map[string][]string{}))
	if err == nil {
		err = k.kept()
	}
	if err != nil {
		return nil, err
	}
	all := slices.Clone(k.Tags)
	for _, t := range tags {
		if i := slices.IndexFunc(all, func(have tag) bool { return have.Key == t.Key }); i >= 0 {
			all[i] = t
		} else {
			all = append(all, t)
		}
	}
	if len(all) > 50 {
		return nil, kmsFault("LimitExceededException", "A key can have at most 50 tags")
	}
	k.Tags = all
	return nil, nil
}

func untagKey(c *call, in *struct {
	KeyID   string `json:"KeyId"`
	TagKeys []string
},
) (any, error) {
	k, err := c.onOwnKey("kms:UntagResource", in.KeyID, map[string][]string{"aws:TagKeys": in.TagKeys})
	if err == nil {
		err = k.kept()
	}
	if err != nil {
		return nil, err
	}
	k.Tags = slices.DeleteFunc(k.Tags, func(t tag) bool { return slices.Contains(in.TagKeys, t.Key) })
	return nil, nil
}

func listKeyTags(c *call, in *struct {
	KeyID string `json:"KeyId"`
	kmsPaging
},
) (any, error) {
	k, err := c.onOwnKey("kms:ListResourceTags", in.KeyID, nil)
	if err != nil {
		return nil, err
	}
	var list []kmsTag
	for _, t := range k.Tags {
		list = append(list, kmsTag{t.Key, t.Value})
	}
	list, next, err := kmsPage(list, func(t kmsTag) string { return t.TagKey }, in.kmsPaging)
	return struct {
		Tags []kmsTag
		kmsPaged
	}{list, next}, err
}
