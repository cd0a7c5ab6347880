# Images of the control plane, and their deployment; see docs/decisions/0008.

# Where images go: host[:port]/prefix.
REGISTRY ?=
# Base images of runtimes that are made: names, space between.
RUNTIMES ?= python3.11 nodejs24
# Further options of `python -m images`.
IMAGES_ARGS ?=
# One function to deploy; all when empty.
FUNCTION ?=
FUNC ?= func
IMAGES_CACHE ?= $${XDG_CACHE_HOME:-$$HOME/.cache}/knative-lambda/images

.PHONY: images
images: $(BIN)/.run ## Make all images and push them: make images REGISTRY=host:port/prefix
	@[[ -n '$(REGISTRY)' ]] || { echo 'REGISTRY is missing: make images REGISTRY=host:port/prefix' >&2; exit 1; }
	@mkdir -p dist/images
	python -m images --registry '$(REGISTRY)' --cache "$(IMAGES_CACHE)" --runtimes '$(RUNTIMES)' $(IMAGES_ARGS) >dist/images.json.part
	@mv dist/images.json.part dist/images.json
	@python -m images.component dist/images.json >dist/images/kustomization.yaml
	@cat dist/images.json

.PHONY: deploy
deploy: $(BIN)/.run ## Deploy the functions, or one (FUNCTION=delete), with the func CLI
	python -m images.deploy --func '$(FUNC)' $(FUNCTION)
