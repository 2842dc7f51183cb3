// What the page computes, without a browser: node --test, run by test_modules.py.
import assert from 'node:assert/strict';
import { test } from 'node:test';

const page = new URL('../../../gateway/src/main/resources/META-INF/resources/page/', import.meta.url);
const { EventStreamParser } = await import(new URL('event-stream.js', page));
const { isLargeEnough, largest } = await import(new URL('faces.js', page));
const { at, mixture, person, walk } = await import(new URL('identity.js', page));
const { figure, inWords } = await import(new URL('likeness.js', page));
const { fromFragment, toFragment } = await import(new URL('link.js', page));
const { bytes, seconds } = await import(new URL('messages.js', page));
const { inWords: progressInWords } = await import(new URL('progress.js', page));
const { Problem, inWords: problemInWords } = await import(new URL('problem.js', page));
const { Run } = await import(new URL('run.js', page));

/** The examples of the HTML standard, 9.2.6, and what it says they are. */
const EXAMPLES = [
  ['data: YHOO\ndata: +2\ndata: 10\n\n', [['message', 'YHOO\n+2\n10', '']]],
  [
    ': test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n',
    [['message', 'first event', '1'], ['message', 'second event', ''], ['message', ' third event', '']],
  ],
  ['data\n\ndata\ndata\n\ndata:', [['message', '', ''], ['message', '\n', '']]],
  ['data:test\n\ndata: test\n\n', [['message', 'test', ''], ['message', 'test', '']]],
  [
    '\ufeffevent: add\r\ndata: 73857293 ü €\r\n\r\nevent: remove\rdata: 2153\r\rretry: 5\n\nid: a\0b\nevent: none\n\n',
    [['add', '73857293 ü €', ''], ['remove', '2153', '']],
  ],
];

test('streams are read as the standard says, wherever they are cut', () => {
  for (const [stream, expected] of EXAMPLES) {
    const whole = new TextEncoder().encode(stream);
    for (let first = 0; first <= whole.length; first++) {
      for (const second of [first, Math.min(first + 1, whole.length), whole.length]) {
        const parser = new EventStreamParser();
        const events = [whole.slice(0, first), whole.slice(first, second), whole.slice(second)].flatMap((piece) =>
          parser.push(piece),
        );
        assert.deepEqual(events.map(({ type, data, lastEventId }) => [type, data, lastEventId]), expected);
      }
    }
  }
});

test('the bar never goes back, whatever comes', () => {
  const run = new Run('id', { numImages: 2 }, person(new Blob(), 0));
  const events = [
    { accepted: { seeds: [4294967295, 0] } },
    { queued: { position: 2, expectedWait: '3.5s' } },
    { stepProgress: { step: 3, totalSteps: 8, expectedRemaining: '1s' } },
    { stepProgress: { step: 1, totalSteps: 8 } }, // a connection that was made again tells what was seen
    { queued: { position: 1 } },
    { image: { imageIndex: 1, data: '' } },
    { stepProgress: { step: 4, totalSteps: 8 } },
    { completed: { elapsed: '2.250s' } },
  ];
  let before = 0;
  for (const event of events) {
    run.take(event);
    assert.ok(run.progress >= before);
    before = run.progress;
  }
  assert.equal(before, 1);
  assert.equal(run.portraits[1].seed, 0); // absent is 0
  assert.equal(progressInWords(run, run.told), 'Finished in 2.3 s');
});

test('a place in the queue and the time left are told', () => {
  const run = new Run('id', { numImages: 1 }, person(new Blob(), 0));
  run.take({ queued: { position: 3, expectedWait: '75s' } });
  assert.equal(progressInWords(run, run.told), 'Place 3 in the queue, about 1 min 15 s to wait');
  run.take({ stepProgress: { step: 5, totalSteps: 25, expectedRemaining: '4.000s' } });
  assert.equal(progressInWords(run, run.told + 1000), 'Step 5 of 25, about 3 s left');
  assert.equal(progressInWords(run, run.told + 60_000), 'Step 5 of 25, almost there');
});

test('links set what they know, and nothing else', () => {
  const linked = { mode: 'mix', seed: '4294967295', t: '0.25', variant: 'a&b=#c' };
  assert.deepEqual(fromFragment(`#${toFragment(linked)}`), linked);
  assert.deepEqual(fromFragment('#photo=x&__proto__=y&seed=1'), { seed: '1' });
});

test('durations and bytes are read from protobuf JSON', () => {
  assert.deepEqual(['1.500s', '0s', '3s', undefined, '', 'soon'].map(seconds), [1.5, 0, 3, undefined, undefined, undefined]);
  assert.deepEqual([...bytes('AP9/')], [0, 255, 127]);
});

test('the largest face is taken, of equals the surer one, as the server does', () => {
  const faces = [
    { score: 0.9, left: 0, top: 0, right: 10, bottom: 10 },
    { index: 1, score: 0.8, left: 5, top: 5, right: 25, bottom: 25 },
    { index: 2, score: 0.7, left: 30, top: 5, right: 50, bottom: 25 },
  ];
  assert.equal(largest(faces).index, 1);
  assert.equal(largest([]), undefined);
  assert.ok(isLargeEnough(faces[1], 20) && !isLargeEnough(faces[0], 20));
});

test('a mixture goes from one end to the other', () => {
  assert.deepEqual(walk(3), [0, 0.5, 1]);
  assert.deepEqual(walk(1), [0.5]);
  const between = mixture(person(new Blob(['1']), 0), person(new Blob(['2']), undefined), walk(2));
  assert.deepEqual(Object.keys(between.photos), ['interpolation.first.photo', 'interpolation.second.photo']);
  assert.deepEqual(at(between, 0.5).source.interpolation, { first: { faceIndex: 0 }, second: {}, t: [0.5] });
});

test('what the server may answer to a photo is told in words of the page', () => {
  const unforeseen = problemInWords(new Problem({ reason: 'UNKNOWN' })).title;
  for (const reason of ['MESSAGE_TOO_LARGE', 'CLIENT_TOO_SLOW', 'AUTHENTICATION_UNAVAILABLE', 'POLICY_UNAVAILABLE']) {
    assert.notEqual(problemInWords(new Problem({ reason })).title, unforeseen);
  }
  assert.deepEqual(problemInWords(new Problem({ reason: 'SHUTTING_DOWN', retryAfter: 0.2 })), {
    title: 'The server is being restarted.', advice: 'Try again in 1 s.',
  });
});

test('likeness is told against the threshold', () => {
  assert.deepEqual([0.9, 0.4, 0.39, 0.1, -0.2].map((cosine) => inWords(cosine, 0.4)), [
    'Very alike', 'Same person', 'A little alike', 'Hardly alike', 'Hardly alike',
  ]);
  assert.equal(figure(-0.204), '−0.20');
});
