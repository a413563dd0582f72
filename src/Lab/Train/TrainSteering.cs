namespace SafeLlama.Lab;

/// <summary>Pauses a training from outside, lets it go on, or lets it take one step in numbers.</summary>
internal sealed class TrainSteering : IDisposable
{
    private readonly ManualResetEventSlim _go;
    private string? _numbersOf;

    public TrainSteering(bool paused) => _go = new(!paused);

    /// <summary>Names the run: as hard to guess as the token.</summary>
    public string Id { get; } = Guid.NewGuid().ToString("N");

    /// <summary>The linears that a step can be told of; none before the run has begun.</summary>
    public IReadOnlyList<string> Modules { get; set; } = [];

    public void Pause() => _go.Reset();

    public void Go() => _go.Set();

    /// <summary>One step, told in numbers, and a pause.</summary>
    /// <param name="module">The linear whose weights are told.</param>
    public void StepIn(string module)
    {
        _numbersOf = module;
        _go.Set();
    }

    /// <summary>Waits while paused.</summary>
    /// <param name="paused">Is called before a wait.</param>
    /// <returns>The linear to tell the next step of, which is the last before a pause; null for an ordinary
    /// step.</returns>
    public string? Next(Action paused, CancellationToken cancel)
    {
        if (!_go.IsSet)
        {
            paused();
            _go.Wait(cancel);
        }

        cancel.ThrowIfCancellationRequested();
        if (Interlocked.Exchange(ref _numbersOf, null) is not { } module)
        {
            return null;
        }

        _go.Reset();
        return module;
    }

    public void Dispose() => _go.Dispose();
}
