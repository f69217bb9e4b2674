#!/bin/sh
# Writes the assembly of package kernel anew.
set -e
cd "$(dirname "$0")"
for t in unpack sum minmax compare mask runs hash search arith lookup prefix; do
	go run . -topic $t -out ../${t}_amd64.s -stubs ../${t}_stubs_amd64.go -pkg kernel
done
