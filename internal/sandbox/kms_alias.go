package sandbox

import (
	"regexp"
	"strings"
)

func kmsAliasOperations() jsonOperations {
	return jsonOperations{
		"CreateAlias": reading(createAlias),
		"UpdateAlias": reading(updateAlias),
		"DeleteAlias": reading(deleteAlias),
		"ListAliases": reading(listAliases),
	}
}

var aliasForm = regexp.MustCompile(`^alias/[a-zA-Z0-9/_-]{1,250}$`)

// aliasARN checks the name of an alias that a call is about, and asks for the
// action on it. Aliases are allowed by identity policies
// (KMS:alias-access).
func (c *call) aliasARN(action, name string) (string, error) {
	switch {
	case name == "":
		return "", missingMember("AliasName")
	case !aliasForm.MatchString(name):
		return "", kmsFault("InvalidAliasNameException", "Invalid alias name: it must be like alias/name, of letters, digits, /, _ and -")
	}
	arn := c.server.arn("kms", c.credential.region, c.caller.Account, name)
	if err := c.authorize(permission{action: action, resource: arn}); err != nil {
		return "", err
	}
	if strings.HasPrefix(name, "alias/aws/") {
		return "", kmsFault("NotAuthorizedException", "Aliases that begin with alias/aws/ are AWS's own")
	}
	return arn, nil
}

type aliasInput struct {
	AliasName   string
	TargetKeyID string `json:"TargetKeyId"`
}

// createAlias needs the action on the alias and on the key.
func createAlias(c *call, in *aliasInput) (any, error) {
	arn, err := c.aliasARN("kms:CreateAlias", in.AliasName)
	if err != nil {
		return nil, err
	}
	k, err := c.aliasTarget("kms:CreateAlias", in.TargetKeyID)
	if err != nil {
		return nil, err
	}
	if c.server.world.KMS.Aliases[arn] != nil {
		return nil, kmsFault("AlreadyExistsException", "An alias with the name %s already exists", arn)
	}
	c.server.world.KMS.Aliases[arn] = &kmsAlias{
		ARN: arn, Name: in.AliasName, Account: c.caller.Account, Region: c.credential.region, Key: k.ID, Created: c.now, Updated: c.now,
	}
	return nil, nil
}

// aliasTarget is the key that an alias is to stand for: one of the account's own.
func (c *call) aliasTarget(action, name string) (*kmsKey, error) {
	if name == "" {
		return nil, missingMember("TargetKeyId")
	}
	k, err := c.onOwnKey(action, name, nil)
	if err != nil {
		return nil, err
	}
	return k, k.kept()
}

// updateAlias needs the action on the alias and on both keys.
func updateAlias(c *call, in *aliasInput) (any, error) {
	arn, err := c.aliasARN("kms:UpdateAlias", in.AliasName)
	if err != nil {
		return nil, err
	}
	a := c.server.world.KMS.Aliases[arn]
	if a == nil {
		return nil, kmsNotFound("Alias %s is not found.", arn)
	}
	if c.server.living(a.Key) != nil {
		if _, err := c.onOwnKey("kms:UpdateAlias", a.Key, nil); err != nil {
			return nil, err
		}
	}
	k, err := c.aliasTarget("kms:UpdateAlias", in.TargetKeyID)
	if err != nil {
		return nil, err
	}
	a.Key, a.Updated = k.ID, c.now
	return nil, nil
}

func deleteAlias(c *call, in *struct{ AliasName string }) (any, error) {
	arn, err := c.aliasARN("kms:DeleteAlias", in.AliasName)
	if err != nil {
		return nil, err
	}
	a := c.server.world.KMS.Aliases[arn]
	if a == nil {
		return nil, kmsNotFound("Alias %s is not found.", arn)
	}
	if c.server.living(a.Key) != nil {
		if _, err := c.onOwnKey("kms:DeleteAlias", a.Key, nil); err != nil {
			return nil, err
		}
	}
	delete(c.server.world.KMS.Aliases, arn)
	return nil, nil
}

func listAliases(c *call, in *struct {
	KeyID string `json:"KeyId"`
	kmsPaging
},
) (any, error) {
	if err := c.authorize(permission{action: "kms:ListAliases", resource: "*"}); err != nil {
		return nil, err
	}
	only := ""
	if in.KeyID != "" {
		f, err := c.server.findKey(in.KeyID, c.caller.Account, c.credential.region)
		switch {
		case err != nil:
			return nil, err
		case f.key == nil || f.key.Account != c.caller.Account || f.alias != "":
			return nil, kmsNotFound("Key '%s' does not exist", f.arn)
		}
		only = f.key.ID
	}
	type listed struct {
		AliasName       string
		ARN             string `json:"AliasArn"`
		TargetKeyID     string `json:"TargetKeyId"`
		CreationDate    seconds
		LastUpdatedDate seconds
	}
	var list []listed
	for _, a := range c.server.world.KMS.Aliases {
		if a.Account == c.caller.Account && a.Region == c.credential.region && (only == "" || a.Key == only) && c.server.living(a.Key) != nil {
			list = append(list, listed{a.Name, a.ARN, a.Key, seconds{a.Created}, seconds{a.Updated}})
		}
	}
	list, next, err := kmsPage(list, func(a listed) string { return a.AliasName }, in.kmsPaging)
	return struct {
		Aliases []listed
		kmsPaged
	}{list, next}, err
}
