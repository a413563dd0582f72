namespace SafeLlama.Serving;

/// <summary>Sequences that wait for a slot: requests take turns, so that one of many sequences does not go
/// first.</summary>
/// <remarks>Not thread-safe.</remarks>
internal sealed class FairQueue
{
    private readonly Queue<Queue<Sequence>> _requests = [];

    /// <summary>Sequences, in the order in which their requests came.</summary>
    public IEnumerable<Sequence> All => _requests.SelectMany(request => request);

    public int Count => _requests.Sum(request => request.Count);

    /// <summary>A request comes behind all others.</summary>
    public void Enqueue(IEnumerable<Sequence> request) => _requests.Enqueue(new(request));

    /// <summary>One sequence of the request whose turn it is, which then goes behind all others. Those that nobody
    /// waits for, or all of them, end here.</summary>
    /// <param name="abandons">Whether nobody waits for any.</param>
    public Sequence? Dequeue(bool abandons)
    {
        while (_requests.TryDequeue(out var request))
        {
            var next = request.Dequeue();
            if (request.Count > 0)
            {
                _requests.Enqueue(request);
            }

            if (!next.IsCancelled && !abandons)
            {
                return next;
            }

            next.Fail(new OperationCanceledException());
        }

        return null;
    }

    /// <summary>Ends those of given-up requests.</summary>
    public void Forget()
    {
        for (var left = _requests.Count; left > 0; left--)
        {
            var request = _requests.Dequeue();
            if (!request.Peek().IsCancelled)
            {
                _requests.Enqueue(request);
                continue;
            }

            foreach (var sequence in request)
            {
                sequence.Fail(new OperationCanceledException());
            }
        }
    }
}
