using System.Diagnostics.Metrics;

namespace SafeLlama.Serving;

/// <summary>What <c>/metrics</c> tells.</summary>
internal sealed class ServerMetrics : IDisposable
{
    public const string Name = "SafeLlama.Serving";

    private static readonly double[] Seconds =
        [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];

    private readonly Meter _meter = new(Name);
    private readonly Counter<long> _requests;
    private readonly Counter<long> _sequences;
    private readonly Counter<long> _promptTokens;
    private readonly Counter<long> _tokens;
    private readonly Counter<long> _markers;
    private readonly Histogram<double> _seconds;

    public ServerMetrics(ServingEngine engine)
    {
        _requests = _meter.CreateCounter<long>("safellama.requests", null, "Requests answered, by path and status.");
        _sequences = _meter.CreateCounter<long>("safellama.sequences", null, "Answers begun, by model.");
        _promptTokens = _meter.CreateCounter<long>("safellama.tokens.prompt", null, "Tokens of prompts taken on.");
        _tokens = _meter.CreateCounter<long>("safellama.tokens.generated", null, "Tokens generated.");
        _markers = _meter.CreateCounter<long>(
            "safellama.prompts.markers", null, "Prompts whose text spells a mark of the chat template.");
        _seconds = _meter.CreateHistogram(
            "safellama.request.duration", "s", "Time of a request, to its end.", null,
            new InstrumentAdvice<double> { HistogramBucketBoundaries = Seconds });
        _meter.CreateObservableGauge("safellama.slots", () => engine.Settings.Slots, null, "Slots there are.");
        _meter.CreateObservableGauge("safellama.slots.busy", () => engine.Busy, null, "Slots taken.");
        _meter.CreateObservableGauge("safellama.queue", () => engine.Waiting, null, "Sequences that wait.");
    }

    public void Asked(string model, IReadOnlyList<SequenceRequest> sequences, bool holdsMarkers)
    {
        _sequences.Add(sequences.Count, new KeyValuePair<string, object?>("model", model));
        _promptTokens.Add(sequences.Sum(s => (long)s.Prompt.Length));
        _markers.Add(holdsMarkers ? 1 : 0);
    }

    /// <returns>How many tokens an update brings.</returns>
    public int Count(SequenceUpdate update)
    {
        _tokens.Add(update.Token is null ? 0 : 1);
        return update.Token is null ? 0 : 1;
    }

    /// <param name="path">The route, or nothing for an address that has none.</param>
    public void Answered(string path, int status, TimeSpan time)
    {
        _requests.Add(1, new("path", path), new("status", status));
        _seconds.Record(time.TotalSeconds, new KeyValuePair<string, object?>("path", path));
    }

    public void Dispose() => _meter.Dispose();
}
