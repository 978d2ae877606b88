package specs

// The documents as they stand in the files. Each type's fields method is the
// only list of its fields in code; a test holds schema.json against it.

type rawRepository struct {
	apiVersion, kind text
	metadata         one[rawRepositoryMetadata, *rawRepositoryMetadata]
	spec             one[rawRepositorySpec, *rawRepositorySpec]
}

func (*rawRepository) def() string { return "repository" }
func (d *rawRepository) fields() []field {
	return []field{
		{"apiVersion", true, &d.apiVersion},
		{"kind", true, &d.kind},
		{"metadata", true, &d.metadata},
		{"spec", true, &d.spec},
	}
}

type rawRepositoryMetadata struct {
	name        text
	formerNames texts
}

func (*rawRepositoryMetadata) def() string { return "repositoryMetadata" }
func (d *rawRepositoryMetadata) fields() []field {
	return []field{
		{"name", true, &d.name},
		{"formerNames", false, &d.formerNames},
	}
}

type rawRepositorySpec struct {
	region, deployRole, readRole, externalID, boundary text

	accounts dict[one[rawAccount, *rawAccount], *one[rawAccount, *rawAccount]]
	include  texts
	tags     dict[label, *label]
	lock     one[rawLock, *rawLock]
}

func (*rawRepositorySpec) def() string { return "repositorySpec" }
func (d *rawRepositorySpec) fields() []field {
	return []field{
		{"region", true, &d.region},
		{"deployRole", true, &d.deployRole},
		{"readRole", false, &d.readRole},
		{"externalId", false, &d.externalID},
		{"permissionsBoundary", false, &d.boundary},
		{"accounts", true, &d.accounts},
		{"include", false, &d.include},
		{"tags", false, &d.tags},
		{"lock", false, &d.lock},
	}
}

type rawLock struct {
	bucket, account, region, expires text
}

func (*rawLock) def() string { return "lock" }
func (d *rawLock) fields() []field {
	return []field{
		{"bucket", true, &d.bucket},
		{"account", true, &d.account},
		{"region", false, &d.region},
		{"expires", false, &d.expires},
	}
}

type rawAccount struct {
	id, region, deployRole, externalID, profile text
	manage, retired                             flag
}

func (*rawAccount) def() string { return "account" }
func (d *rawAccount) fields() []field {
	return []field{
		{"id", true, &d.id},
		{"region", false, &d.region},
		{"deployRole", false, &d.deployRole},
		{"externalId", false, &d.externalID},
		{"profile", false, &d.profile},
		{"manage", false, &d.manage},
		{"retired", false, &d.retired},
	}
}

type rawShare struct {
	apiVersion, kind text
	metadata         one[rawShareMetadata, *rawShareMetadata]
	spec             one[rawShareSpec, *rawShareSpec]
}

func (*rawShare) def() string { return "share" }
func (d *rawShare) fields() []field {
	return []field{
		{"apiVersion", true, &d.apiVersion},
		{"kind", true, &d.kind},
		{"metadata", true, &d.metadata},
		{"spec", true, &d.spec},
	}
}

type rawShareMetadata struct {
	name, owner text
	description prose
}

func (*rawShareMetadata) def() string { return "shareMetadata" }
func (d *rawShareMetadata) fields() []field {
	return []field{
		{"name", true, &d.name},
		{"owner", false, &d.owner},
		{"description", false, &d.description},
	}
}

type rawShareSpec struct {
	bucket    one[rawBucket, *rawBucket]
	consumers many[rawConsumer, *rawConsumer]
}

func (*rawShareSpec) def() string { return "shareSpec" }
func (d *rawShareSpec) fields() []field {
	return []field{
		{"bucket", true, &d.bucket},
		{"consumers", true, &d.consumers},
	}
}

type rawBucket struct {
	name, account, region text
	create                flag
}

func (*rawBucket) def() string { return "bucket" }
func (d *rawBucket) fields() []field {
	return []field{
		{"name", true, &d.name},
		{"account", true, &d.account},
		{"region", false, &d.region},
		{"create", false, &d.create},
	}
}

type rawConsumer struct {
	account    text
	role       one[rawRole, *rawRole]
	access     textOrTexts
	actions    texts
	prefixes   texts
	policyName text
	instances  many[rawInstance, *rawInstance]
}

func (*rawConsumer) def() string { return "consumer" }
func (d *rawConsumer) fields() []field {
	return []field{
		{"account", true, &d.account},
		{"role", true, &d.role},
		{"access", false, &d.access},
		{"actions", false, &d.actions},
		{"prefixes", false, &d.prefixes},
		{"policyName", false, &d.policyName},
		{"instances", false, &d.instances},
	}
}

type rawRole struct {
	name               text
	create             flag
	trust, trustPolicy text
	instanceProfile    flagOrText
	boundary           text
}

func (*rawRole) def() string { return "role" }
func (d *rawRole) fields() []field {
	return []field{
		{"name", true, &d.name},
		{"create", false, &d.create},
		{"trust", false, &d.trust},
		{"trustPolicy", false, &d.trustPolicy},
		{"instanceProfile", false, &d.instanceProfile},
		{"permissionsBoundary", false, &d.boundary},
	}
}

type rawInstance struct {
	name, id, image, kind, region, subnet, keyName text
	securityGroups                                 texts
}

func (*rawInstance) def() string { return "instance" }
func (d *rawInstance) fields() []field {
	return []field{
		{"name", false, &d.name},
		{"id", false, &d.id},
		{"image", false, &d.image},
		{"type", false, &d.kind},
		{"region", false, &d.region},
		{"subnet", false, &d.subnet},
		{"securityGroups", false, &d.securityGroups},
		{"keyName", false, &d.keyName},
	}
}
