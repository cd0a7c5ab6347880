// What keeps a pod's namespaces open.
module testbed/pause

go 1.26
