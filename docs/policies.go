// Package docs holds the policies of the roles that xshare assumes, as they
// are documented: the embedded AWS seeds its roles with just these.
package docs

import _ "embed"

// DeployRolePolicy is what the deploy role needs, and ReadRolePolicy what the
// read role does. Their ARNs are of the partition aws; with those of another
// they hold there.
var (
	//go:embed deploy-role.json
	DeployRolePolicy string
	//go:embed read-role.json
	ReadRolePolicy string
)
