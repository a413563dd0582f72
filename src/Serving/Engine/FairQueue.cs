namespace SafeLlama.Serving;

/// <summary>Sequences that wait for a slot: requests take turns, so that one of many sequences does not go first.</summary>
/// <remarks>Not thread-safe.</remarks>
internal sealed class FairQueue
{
    private readonly Queue<Queue<Sequence>> _requests = [];

    /// <summary>Sequences, in the order in which their requests came.</summary>
    public IEnumerable<Sequence> All => _requests.SelectMany(request => request);

    public int Count => _requests.Sum(request => request.Count);

    /// <summary>A request comes behind all others.</summary>
    public void Enqueue(IEnumerable<Sequence> request) => _requests.Enqueue(new(request));

    /// <summary>One sequence of the request whose turn it is, which then goes behind all others.</summary>
    public Sequence? Dequeue()
    {
        if (!_requests.TryDequeue(out var request))
        {
            return null;
        }

        var next = request.Dequeue();
        if (request.Count > 0)
        {
            _requests.Enqueue(request);
        }

        return next;
    }

    /// <summary>Takes out those of given-up requests.</summary>
    public IReadOnlyList<Sequence> Forget()
    {
        var forgotten = new List<Sequence>();
        for (var left = _requests.Count; left > 0; left--)
        {
            var request = _requests.Dequeue();
            if (request.Peek().IsCancelled)
            {
                forgotten.AddRange(request);
            }
            else
            {
                _requests.Enqueue(request);
            }
        }

        return forgotten;
    }
}
