local dashboard = import 'lib/dashboard.libsonnet';

function(environment='staging') [
  dashboard.new(name, '%s (%s)' % [name, environment])
  for name in ['api', 'web', 'shop']
]
