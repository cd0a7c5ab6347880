# Serves one function over HTTP, one request after the other.
use strict;
use warnings;
use IO::Socket::INET;

$| = 1;
my $root = $ENV{FUNCTION_ROOT} // '/function';
my ($module, $name) = ($ENV{FUNCTION_HANDLER} // 'main.handler') =~ /^(.*)\.(\w+)$/;
unshift @INC, "$root/modules";
my $loaded = do "$root/source/$module.pl";
my $error = $@ || (defined $loaded ? '' : $!);
die "$module.pl cannot be loaded: $error\n" if $error;
my $handler = main->can($name) or die "$module.pl has no sub $name\n";

$SIG{TERM} = sub { exit 0 };
my $listener = IO::Socket::INET->new(
  LocalAddr => $ENV{HOST} // '0.0.0.0', LocalPort => $ENV{PORT} // 8080, Listen => 64, ReuseAddr => 1,
) or die "cannot listen: $@\n";
while (my $client = $listener->accept) {
  my $request = <$client> // '';
  my $length = 0;
  while (defined(my $line = <$client>)) {
    last if $line =~ /^\r?$/;
    $length = $1 if $line =~ /^content-length:\s*(\d+)/i;
  }
  read $client, my $body, $length if $length;
  my $answer = $request =~ m{^GET /health/} ? 'ok' : $handler->($body // '');
  print $client "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: "
    . length($answer) . "\r\nConnection: close\r\n\r\n$answer";
  close $client;
}
