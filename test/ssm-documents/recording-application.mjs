/** Stands in for the application behind a receiver: prints each request that comes to it, as a JSON object a line; run in the machine's network namespace. */
import http from 'node:http';

http
  .createServer((request, response) => {
    console.log(JSON.stringify({ url: request.url, headers: request.headers }));
    response.end('page\n');
  })
  .listen(8000, '127.0.0.1', () => console.log('ready'));
process.stdin.on('end', () => process.exit(0)).resume();
