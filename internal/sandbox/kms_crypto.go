package sandbox

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/json"
	"strconv"
)

func kmsCryptoOperations() jsonOperations {
	return jsonOperations{
		"Encrypt":                         reading(encrypt),
		"Decrypt":                         reading(decrypt),
		"ReEncrypt":                       reading(reEncrypt),
		"GenerateDataKey":                 reading(generateDataKey),
		"GenerateDataKeyWithoutPlaintext": reading(generateDataKeyWithoutPlaintext),
	}
}

// encryptionContext is what is authenticated with the data. It is no secret,
// and policies can speak of it (KMS:encrypt_context).
type encryptionContext map[string]string

// keys are its condition keys.
func (e encryptionContext) keys() map[string][]string {
	m := map[string][]string{"kms:EncryptionAlgorithm": {keySpec}}
	for k, v := range e {
		m["kms:EncryptionContext:"+k] = []string{v}
	}
	if len(e) > 0 {
		m["kms:EncryptionContextKeys"] = sortedKeys(e)
	}
	return m
}

// bytes is the context in one form only.
func (e encryptionContext) bytes() []byte {
	text, _ := json.Marshal(map[string]string(e)) // strings always marshal, with their keys sorted
	return text
}

// aead is AES-256-GCM with the key's secret.
func (k *kmsKey) aead() (cipher.AEAD, error) {
	block, err := aes.NewCipher(k.Secret)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// keyIDLength is how long the id at the head of a ciphertext is.
const keyIDLength = 36

// seal encrypts. The ciphertext is the key's id, a nonce, and the sealed data.
func (s *Server) seal(k *kmsKey, plain []byte, context encryptionContext) ([]byte, error) {
	a, err := k.aead()
	if err != nil {
		return nil, err
	}
	k.Used++
	nonce := s.digest("nonce", k.ID, strconv.Itoa(k.Used))[:a.NonceSize()]
	return a.Seal(append([]byte(k.ID), nonce...), nonce, plain, context.bytes()), nil
}

// sealedBy finds the key of a ciphertext in a region.
func (s *Server) sealedBy(blob []byte, region string) (*kmsKey, error) {
	if len(blob) > keyIDLength {
		if k := s.living(string(blob[:keyIDLength])); k != nil && k.Region == region {
			return k, nil
		}
	}
	return nil, badCiphertext()
}

func badCiphertext() error { return kmsFault("InvalidCiphertextException", "") }

// open decrypts what seal made.
func (k *kmsKey) open(blob []byte, context encryptionContext) ([]byte, error) {
	a, err := k.aead()
	if err != nil {
		return nil, err
	}
	sealed := blob[keyIDLength:]
	if len(sealed) < a.NonceSize() {
		return nil, badCiphertext()
	}
	plain, err := a.Open(nil, sealed[:a.NonceSize()], sealed[a.NonceSize():], context.bytes())
	if err != nil {
		return nil, badCiphertext()
	}
	return plain, nil
}

// checkAlgorithm takes the one that symmetric keys have, and none.
func checkAlgorithm(names ...string) error {
	for _, n := range names {
		if n != "" && n != keySpec {
			return kmsFault("InvalidKeyUsageException", "The algorithm %s is incompatible with the key spec %s.", n, keySpec)
		}
	}
	return nil
}

type sealed struct {
	CiphertextBlob      []byte
	KeyID               string `json:"KeyId"`
	Plaintext           []byte `json:",omitempty"`
	EncryptionAlgorithm string `json:",omitempty"`
}

func encrypt(c *call, in *struct {
	KeyID               string `json:"KeyId"`
	Plaintext           []byte
	EncryptionContext   encryptionContext
	EncryptionAlgorithm string
	GrantTokens         []string
},
) (any, error) {
	if err := checkAlgorithm(in.EncryptionAlgorithm); err != nil {
		return nil, err
	}
	if n := len(in.Plaintext); n < 1 || n > 4096 {
		return nil, kmsInvalid("1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have length between 1 and 4096")
	}
	k, err := c.onKey("kms:Encrypt", in.KeyID, in.EncryptionContext.keys())
	if err == nil {
		err = k.usable()
	}
	if err != nil {
		return nil, err
	}
	blob, err := c.server.seal(k, in.Plaintext, in.EncryptionContext)
	return sealed{CiphertextBlob: blob, KeyID: k.ARN, EncryptionAlgorithm: keySpec}, err
}

// opened finds the key of a ciphertext, asks for an action on it, and decrypts.
func (c *call) opened(action string, blob []byte, context encryptionContext, name string) (*kmsKey, []byte, error) {
	k, err := c.server.sealedBy(blob, c.credential.region)
	if err != nil {
		return nil, nil, err
	}
	if name == "" {
		name = k.ARN
	}
	named, err := c.onKey(action, name, context.keys())
	if err != nil {
		return nil, nil, err
	}
	if named != k {
		return nil, nil, kmsFault("IncorrectKeyException", "The key ID in the request does not identify a CMK that can perform this operation.")
	}
	if err := k.usable(); err != nil {
		return nil, nil, err
	}
	plain, err := k.open(blob, context)
	return k, plain, err
}

func decrypt(c *call, in *struct {
	CiphertextBlob      []byte
	KeyID               string `json:"KeyId"`
	EncryptionContext   encryptionContext
	EncryptionAlgorithm string
	GrantTokens         []string
},
) (any, error) {
	if err := checkAlgorithm(in.EncryptionAlgorithm); err != nil {
		return nil, err
	}
	k, plain, err := c.opened("kms:Decrypt", in.CiphertextBlob, in.EncryptionContext, in.KeyID)
	if err != nil {
		return nil, err
	}
	return struct {
		KeyID               string `json:"KeyId"`
		Plaintext           []byte
		EncryptionAlgorithm string
	}{k.ARN, plain, keySpec}, nil
}

// reEncrypt needs kms:ReEncryptFrom on the old key and kms:ReEncryptTo on the new.
func reEncrypt(c *call, in *struct {
	CiphertextBlob                 []byte
	SourceKeyID                    string `json:"SourceKeyId"`
	SourceEncryptionContext        encryptionContext
	SourceEncryptionAlgorithm      string
	DestinationKeyID               string `json:"DestinationKeyId"`
	DestinationEncryptionContext   encryptionContext
	DestinationEncryptionAlgorithm string
	GrantTokens                    []string
},
) (any, error) {
	if err := checkAlgorithm(in.SourceEncryptionAlgorithm, in.DestinationEncryptionAlgorithm); err != nil {
		return nil, err
	}
	from, plain, err := c.opened("kms:ReEncryptFrom", in.CiphertextBlob, in.SourceEncryptionContext, in.SourceKeyID)
	if err != nil {
		return nil, err
	}
	to, err := c.onKey("kms:ReEncryptTo", in.DestinationKeyID, in.DestinationEncryptionContext.keys())
	if err == nil {
		err = to.usable()
	}
	if err != nil {
		return nil, err
	}
	blob, err := c.server.seal(to, plain, in.DestinationEncryptionContext)
	return struct {
		CiphertextBlob                 []byte
		SourceKeyID                    string `json:"SourceKeyId"`
		KeyID                          string `json:"KeyId"`
		SourceEncryptionAlgorithm      string
		DestinationEncryptionAlgorithm string
	}{blob, from.ARN, to.ARN, keySpec, keySpec}, err
}

type dataKeyInput struct {
	KeyID             string `json:"KeyId"`
	KeySpec           string
	NumberOfBytes     *int
	EncryptionContext encryptionContext
	GrantTokens       []string
}

func generateDataKey(c *call, in *dataKeyInput) (any, error) {
	return c.dataKey("kms:GenerateDataKey", in)
}

func generateDataKeyWithoutPlaintext(c *call, in *dataKeyInput) (any, error) {
	out, err := c.dataKey("kms:GenerateDataKeyWithoutPlaintext", in)
	out.Plaintext = nil
	return out, err
}

// dataKey makes a key of the size asked for and seals it.
func (c *call) dataKey(action string, in *dataKeyInput) (sealed, error) {
	size, ok := map[string]int{"AES_128": 16, "AES_256": 32}[in.KeySpec]
	switch {
	case (in.KeySpec == "") == (in.NumberOfBytes == nil):
		return sealed{}, kmsInvalid("Please specify either number of bytes or key spec.")
	case in.NumberOfBytes != nil:
		size = *in.NumberOfBytes
	case !ok:
		return sealed{}, kmsInvalid("1 validation error detected: Value '%s' at 'keySpec' failed to satisfy constraint: Member must satisfy enum value set: [AES_256, AES_128]", in.KeySpec)
	}
	if size < 1 || size > 1024 {
		return sealed{}, kmsInvalid("1 validation error detected: Value '%d' at 'numberOfBytes' failed to satisfy constraint: Member must have value between 1 and 1024", size)
	}
	k, err := c.onKey(action, in.KeyID, in.EncryptionContext.keys())
	if err == nil {
		err = k.usable()
	}
	if err != nil {
		return sealed{}, err
	}
	k.Used++
	var plain []byte
	for n := 0; len(plain) < size; n++ {
		plain = append(plain, c.server.digest("data key", k.ID, strconv.Itoa(k.Used), strconv.Itoa(n))...)
	}
	blob, err := c.server.seal(k, plain[:size], in.EncryptionContext)
	return sealed{CiphertextBlob: blob, KeyID: k.ARN, Plaintext: plain[:size]}, err
}
