import os
import flask, redis

app = flask.Flask(__name__)

@app.route('/')
def page():
    store = redis.Redis(host=os.environ['STORE'], decode_responses=True)
    return 'seen %d times\n' % store.incr('visits')

app.run(host='0.0.0.0', port=int(os.environ['PORT']))
