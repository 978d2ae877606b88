package specs

// goodRepository and goodShare are what the bad inputs are made from, by
// small edits. The numbers of their lines are in the expected errors.
const goodRepository = `apiVersion: xshare/v1
kind: Repository
metadata:
  name: acme-data
spec:
  region: us-east-1
  deployRole: xshare-deployer
  accounts:
    lake: {id: "111111111111"}
    analytics: {id: "222222222222"}
    partner: {id: "444444444444", manage: false}
    old: {id: "555555555555", retired: true}
`

const goodShare = `apiVersion: xshare/v1
kind: Share
metadata:
  name: sales
spec:
  bucket:
    name: sales-data
    account: lake
  consumers:
    - account: analytics
      role:
        name: reader
        create: true
        trust: ec2
      access: [read]
`
