using SafeLlama.Common;
using SafeLlama.Inference;

namespace SafeLlama.Serving;

/// <summary>Answers many requests at once: sequences join and leave a decoding batch between two tokens.</summary>
/// <remarks>
/// One thread computes. Between two steps it reads a part of one waiting sequence's prompt into a free slot, so that
/// those under way wait for one part at most. Waiting requests take turns for slots. Rows of a step share each product
/// with a base weight, whatever their adapters, and every answer is the one that it would be alone:
/// <see cref="DecodingBatch"/>.
/// </remarks>
public sealed class ServingEngine : IDisposable
{
    private readonly DecodingBatch _batch;
    private readonly Stack<int> _free;
    private readonly List<Sequence> _active = [];
    private readonly FairQueue _waiting = new();
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _wake = new(0);
    private readonly double[] _choice;
    private readonly int[][] _rows;
    private readonly Thread _thread;
    private Sequence? _reading;
    private Exception? _fault;
    private bool _stops;
    private volatile bool _abandons;
    private int _busy;

    /// <param name="session">The model; it outlives the engine.</param>
    /// <param name="models">What may be asked.</param>
    /// <exception cref="SafeLlamaException">A setting is out of range, or it does not fit.</exception>
    public ServingEngine(LlamaSession session, IReadOnlyList<ServedModel> models, EngineSettings settings)
    {
        settings.Validate();
        (Session, Models, Settings) = (session, models, settings);
        MaxLength = session.Model.MaxLength;
        MaxPrompt = settings.MaxPrompt > 0 ? Math.Min(settings.MaxPrompt, MaxLength) : MaxLength;
        _batch = new DecodingBatch(session.Model, settings.Slots, MaxPrompt, MaxLength, exact: true);
        _free = new(Enumerable.Range(0, settings.Slots).Reverse());
        _choice = new double[session.Model.Config.VocabularySize];
        _rows = [new int[settings.Slots], new int[settings.Slots], new int[settings.Slots], new int[settings.Slots]];
        _thread = new Thread(Run) { IsBackground = true, Name = "serving engine" };
        _thread.Start();
    }

    public IReadOnlyList<ServedModel> Models { get; }

    public EngineSettings Settings { get; }

    public LlamaSession Session { get; }

    /// <summary>The most tokens of a sequence, prompt and answer together.</summary>
    public int MaxLength { get; }

    /// <summary>The most tokens of a prompt.</summary>
    public int MaxPrompt { get; }

    /// <summary>Sequences that have a slot now.</summary>
    public int Busy => Volatile.Read(ref _busy);

    /// <summary>Sequences that wait for a slot now, those aside that nobody waits for any more.</summary>
    public int Waiting => Locked(() => _waiting.All.Count(s => !s.IsCancelled));

    /// <summary>Whether requests are taken.</summary>
    public bool IsRunning => Locked(() => !_stops && _fault is null);

    /// <summary>Puts a request's sequences into the queue, all or none.</summary>
    /// <param name="cancel">Gives them up.</param>
    /// <exception cref="QueueFullException">There is no room.</exception>
    /// <exception cref="EngineStoppedException">The engine takes nothing any more.</exception>
    public SequenceGroup Submit(IReadOnlyList<SequenceRequest> requests, CancellationToken cancel = default)
    {
        var (group, tokenizer) = (new SequenceGroup(requests.Count, cancel), Session.Tokenizer);
        var sequences = requests.Select((r, i) => new Sequence(r.WithEnds(tokenizer), group, i, tokenizer)).ToList();
        lock (_lock)
        {
            if (_fault is not null || _stops)
            {
                throw new EngineStoppedException(_fault);
            }

            _waiting.Forget();
            if (_waiting.Count + sequences.Count > Settings.Queue + _free.Count)
            {
                throw new QueueFullException(_waiting.Count, Settings.Queue);
            }

            if (sequences.Count > 0)
            {
                _waiting.Enqueue(sequences);
            }
        }

        _wake.Release();
        return group;
    }

    /// <summary>Takes nothing more, and waits until what is under way has ended.</summary>
    /// <param name="grace">How long; what is not done by then is given up.</param>
    /// <returns>Whether all of it ended.</returns>
    public bool Stop(TimeSpan grace)
    {
        lock (_lock)
        {
            _stops = true;
        }

        _wake.Release();
        var ended = _thread.Join(grace);
        _abandons = true;
        _thread.Join();
        return ended;
    }

    public void Dispose()
    {
        Stop(TimeSpan.Zero);
        _batch.Dispose();
        _wake.Dispose();
    }

    private void Run()
    {
        try
        {
            while (true)
            {
                Leave();
                Admit();
                Read();
                if (_active.Count > 0)
                {
                    Step();
                }
                else if (Locked(() => _stops && _waiting.Count == 0))
                {
                    return;
                }
                else if (Waiting == 0)
                {
                    _wake.Wait();
                }
            }
        }
        catch (Exception fault)
        {
            lock (_lock)
            {
                _fault = fault;
            }

            foreach (var sequence in _active.Concat(_waiting.All))
            {
                sequence.Fail(new EngineStoppedException(fault));
            }
        }
    }

    private T Locked<T>(Func<T> read)
    {
        lock (_lock)
        {
            return read();
        }
    }

    /// <summary>Frees the slots of sequences that nobody waits for.</summary>
    private void Leave()
    {
        for (var i = _active.Count - 1; i >= 0; i--)
        {
            if (_abandons || _active[i].IsCancelled)
            {
                _active[i].Fail(new OperationCanceledException());
                Release(_active[i]);
            }
        }
    }

    /// <summary>Gives a waiting sequence a slot, if no other is being read.</summary>
    private void Admit()
    {
        if (_reading is not null || _free.Count == 0 || Locked(() => _waiting.Dequeue(_abandons)) is not { } sequence)
        {
            return;
        }

        lock (_lock)
        {
            sequence.Slot = _free.Pop();
        }

        _active.Add(sequence);
        _reading = sequence;
        Volatile.Write(ref _busy, _active.Count);
    }

    /// <summary>Reads a part of a prompt.</summary>
    private void Read()
    {
        if (_reading is { } sequence)
        {
            Guard(sequence, ReadPart);
            _reading = sequence.IsReading ? _reading : null;
        }
    }

    /// <summary>After the last part, takes the first token.</summary>
    private bool ReadPart(Sequence sequence)
    {
        var request = sequence.Request;
        sequence.Read += _batch.ReadPart(
            sequence.Slot, request.Prompt, sequence.Read, request.Model.Adapter,
            !request.ScoresPrompt ? null : (i, logits) =>
            {
                if (i + 1 < request.Prompt.Length)
                {
                    sequence.PromptScores.Add(TokenScore.Of(logits, request.Prompt[i + 1], request.Top ?? 0));
                }
            });
        if (sequence.IsReading)
        {
            return false;
        }

        if (request.ScoresPrompt)
        {
            sequence.TellPrompt();
        }

        if (request.MaxTokens > 0)
        {
            return sequence.Take(_batch.Logits(0), _choice);
        }

        sequence.End();
        return true;
    }

    /// <summary>One token more for every sequence; those of one adapter stand together.</summary>
    private void Step()
    {
        var open = _active.Where(s => !s.IsReading).OrderBy(s => s.Request.Model.Adapter).ToList();
        var count = open.Count;
        for (var i = 0; i < count; i++)
        {
            (_rows[0][i], _rows[1][i], _rows[2][i], _rows[3][i]) = (
                open[i].Slot, open[i].Text[^1], open[i].Text.Count - 1, open[i].Request.Model.Adapter);
        }

        _batch.Step(
            _rows[0].AsSpan(0, count), _rows[1].AsSpan(0, count), _rows[2].AsSpan(0, count), _rows[3].AsSpan(0, count));
        foreach (var (row, sequence) in open.Index())
        {
            Guard(sequence, s => s.Take(_batch.Logits(row), _choice));
        }
    }

    /// <summary>What goes wrong with one sequence ends that one alone.</summary>
    private void Guard(Sequence sequence, Func<Sequence, bool> work)
    {
        try
        {
            if (work(sequence))
            {
                Release(sequence);
            }
        }
        catch (SafeLlamaException fault)
        {
            sequence.Fail(fault);
            Release(sequence);
        }
    }

    private void Release(Sequence sequence)
    {
        _active.Remove(sequence);
        _reading = _reading == sequence ? null : _reading;
        Volatile.Write(ref _busy, _active.Count);
        lock (_lock)
        {
            _free.Push(sequence.Slot);
        }
    }
}
