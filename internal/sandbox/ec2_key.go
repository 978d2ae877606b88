package sandbox

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"time"
)

// keyPair is a key pair; the private half is nowhere but in CreateKeyPair's answer.
type keyPair struct {
	ID, Name, Type string
	Fingerprint    string
	Public         string `json:",omitempty"`
	Created        time.Time
	Tags           []tag `json:",omitempty"`
}

func keyOperations() ec2Operations {
	return ec2Operations{
		"CreateKeyPair":    {append([]string{"KeyName", "KeyType", "KeyFormat"}, specification...), (*ec2Call).createKey},
		"ImportKeyPair":    {append([]string{"KeyName", "PublicKeyMaterial"}, specification...), (*ec2Call).importKey},
		"DescribeKeyPairs": {append([]string{"KeyName.N", "KeyPairId.N"}, filterParams[:2]...), (*ec2Call).describeKeys},
		"DeleteKeyPair":    {[]string{"KeyName", "KeyPairId"}, (*ec2Call).deleteKey},
	}
}

func (s *Server) seedKey(r *ec2Region, name string) error {
	if r.Keys[name] == nil {
		sum := sha1.Sum(s.digest("key", r.Account, r.Region, name))
		r.Keys[name] = &keyPair{ID: s.hexID("key-", r.Account, r.Region+"/"+name), Name: name, Type: "rsa", Fingerprint: colons(sum[:]), Created: s.now()}
	}
	return nil
}

func colons(b []byte) string {
	parts := make([]string, len(b))
	for i := range b {
		parts[i] = hex.EncodeToString(b[i : i+1])
	}
	return strings.Join(parts, ":")
}

// newKey checks what both ways to a key pair have in common.
func (c *ec2Call) newKey(kind string) (*keyPair, error) {
	name := c.get("KeyName")
	tags, err := c.creating(c.arn("key-pair", name), "key-pair")
	if err != nil {
		return nil, err
	}
	if err := c.required("KeyName"); err != nil {
		return nil, err
	}
	if c.at.Keys[name] != nil {
		return nil, fault(http.StatusBadRequest, "InvalidKeyPair.Duplicate", "The keypair already exists")
	}
	if err := c.dry(); err != nil {
		return nil, err
	}
	return &keyPair{ID: c.server.hexID("key-", c.at.Account, c.at.Region+"/"+name), Name: name, Type: kind, Created: c.now, Tags: tags}, nil
}

// createKey makes an RSA key. Its material is random: nothing else depends on it.
func (c *ec2Call) createKey() (any, error) {
	if v := c.get("KeyType"); v != "" && v != "rsa" {
		return nil, notImplemented("the key type %q of CreateKeyPair", v)
	}
	if v := c.get("KeyFormat"); v != "" && v != "pem" {
		return nil, notImplemented("the key format %q of CreateKeyPair", v)
	}
	k, err := c.newKey("rsa")
	if err != nil {
		return nil, err
	}
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, err
	}
	sum := sha1.Sum(der)
	k.Fingerprint = colons(sum[:])
	c.at.Keys[k.Name] = k
	material := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(private)})
	return struct {
		Name        string        `xml:"keyName"`
		Fingerprint string        `xml:"keyFingerprint"`
		Material    string        `xml:"keyMaterial"`
		ID          string        `xml:"keyPairId"`
		Tags        items[ec2Tag] `xml:"tagSet"`
	}{k.Name, k.Fingerprint, string(material), k.ID, tagItems(k.Tags)}, nil
}

// importKey takes an OpenSSH public key.
func (c *ec2Call) importKey() (any, error) {
	text, err := base64.StdEncoding.DecodeString(c.get("PublicKeyMaterial"))
	kind, fingerprint, ok := sshFingerprint(string(text))
	if err != nil || !ok {
		return nil, fault(http.StatusBadRequest, "InvalidKey.Format", "Key is not in valid OpenSSH public key format")
	}
	k, err := c.newKey(kind)
	if err != nil {
		return nil, err
	}
	k.Fingerprint, k.Public = fingerprint, strings.TrimSpace(string(text))
	c.at.Keys[k.Name] = k
	return struct {
		Name        string        `xml:"keyName"`
		Fingerprint string        `xml:"keyFingerprint"`
		ID          string        `xml:"keyPairId"`
		Tags        items[ec2Tag] `xml:"tagSet"`
	}{k.Name, k.Fingerprint, k.ID, tagItems(k.Tags)}, nil
}

// sshFingerprint is AWS's fingerprint of an OpenSSH public key: MD5 of the DER
// form of an RSA key, SHA-256 of an ED25519 key (EC2: verify-keys).
func sshFingerprint(text string) (kind, fingerprint string, ok bool) {
	fields := strings.Fields(text)
	if len(fields) < 2 {
		return "", "", false
	}
	blob, err := base64.StdEncoding.DecodeString(fields[1])
	if err != nil {
		return "", "", false
	}
	var parts [][]byte
	for rest := blob; len(rest) > 0; {
		if len(rest) < 4 || uint64(len(rest)-4) < uint64(binary.BigEndian.Uint32(rest)) {
			return "", "", false
		}
		n := binary.BigEndian.Uint32(rest)
		parts, rest = append(parts, rest[4:4+n]), rest[4+n:]
	}
	switch {
	case len(parts) == 2 && fields[0] == "ssh-ed25519" && string(parts[0]) == fields[0]:
		sum := sha256.Sum256(blob)
		return "ed25519", base64.StdEncoding.EncodeToString(sum[:]), true
	case len(parts) == 3 && fields[0] == "ssh-rsa" && string(parts[0]) == fields[0]:
		exponent := new(big.Int).SetBytes(parts[1])
		if !exponent.IsInt64() {
			return "", "", false
		}
		der, err := x509.MarshalPKIXPublicKey(&rsa.PublicKey{N: new(big.Int).SetBytes(parts[2]), E: int(exponent.Int64())})
		if err != nil {
			return "", "", false
		}
		sum := md5.Sum(der)
		return "rsa", colons(sum[:]), true
	}
	return "", "", false
}

func (c *ec2Call) describeKeys() (any, error) {
	if err := c.describing(); err != nil {
		return nil, err
	}
	list, err := wanted(c.at.Keys, c.list("KeyName", ""), func(names []string) error {
		return fault(http.StatusBadRequest, "InvalidKeyPair.NotFound", "The key pair '%s' does not exist", strings.Join(names, ", "))
	})
	if err != nil {
		return nil, err
	}
	if ids := c.list("KeyPairId", ""); len(ids) > 0 {
		list = slices.DeleteFunc(list, func(k *keyPair) bool { return !slices.Contains(ids, k.ID) })
		if len(list) < len(ids) {
			return nil, fault(http.StatusBadRequest, "InvalidKeyPair.NotFound", "The key pair '%s' does not exist", strings.Join(ids, ", "))
		}
	}
	list, err = filtered(c, list, []string{"key-name", "key-pair-id", "fingerprint"}, func(k *keyPair) attributes {
		return attributes{"key-name": {k.Name}, "key-pair-id": {k.ID}, "fingerprint": {k.Fingerprint}}.tags(k.Tags)
	})
	type listed struct {
		ID          string        `xml:"keyPairId"`
		Name        string        `xml:"keyName"`
		Type        string        `xml:"keyType"`
		Fingerprint string        `xml:"keyFingerprint"`
		Created     string        `xml:"createTime"`
		Tags        items[ec2Tag] `xml:"tagSet"`
	}
	var out items[listed]
	for _, k := range list {
		out = append(out, listed{k.ID, k.Name, k.Type, k.Fingerprint, ec2Time(k.Created), tagItems(k.Tags)})
	}
	return struct {
		Keys items[listed] `xml:"keySet"`
	}{out}, err
}

// deleteKey succeeds for a key pair that is not there, as EC2 does for names.
func (c *ec2Call) deleteKey() (any, error) {
	name := c.get("KeyName")
	for _, k := range c.at.Keys {
		if id := c.get("KeyPairId"); id != "" && k.ID == id {
			name = k.Name
		}
	}
	if name == "" && !c.has("KeyPairId") {
		return nil, c.required("KeyName")
	}
	var context map[string][]string
	k := c.at.Keys[name]
	if k != nil {
		context = resourceTags(k.Tags)
	}
	if err := c.allow("DeleteKeyPair", c.arn("key-pair", name), context); err != nil {
		return nil, err
	}
	if err := c.dry(); err != nil {
		return nil, err
	}
	if k == nil && c.has("KeyPairId") {
		return nil, fault(http.StatusBadRequest, "InvalidKeyPair.NotFound", "The key pair '%s' does not exist", c.get("KeyPairId"))
	}
	delete(c.at.Keys, name)
	return done{true}, nil
}
