using SafeLlama.Cli.Options;
using SafeLlama.Common;
using SafeLlama.Evaluation;
using SafeLlama.Inference;
using SafeLlama.Model;

namespace SafeLlama.Cli;

/// <summary>Encoders opened to judge: each folder once, and all of them within the memory there is.</summary>
/// <param name="where">Where they compute.</param>
/// <param name="opened">Closes them.</param>
internal sealed class OpenedEncoders(IComputes where, DisposableStack opened)
{
    private readonly Dictionary<(string Folder, string? Trained), EncoderScorer> _scorers = [];
    private long _taken;

    /// <param name="folder">The checkpoint.</param>
    /// <param name="trained">A folder of <c>judge train</c>, or null.</param>
    /// <exception cref="SafeLlamaException">It cannot be read, or does not fit beside those opened.</exception>
    public EncoderScorer Open(string folder, string? trained = null)
    {
        var key = (Path.GetFullPath(folder), trained is null ? null : Path.GetFullPath(trained));
        if (_scorers.TryGetValue(key, out var known))
        {
            return known;
        }

        var session = opened.Add(EncoderSession.Open(Devices.Open(where), folder, new()
        {
            Trained = trained,
            OwnsBackend = true,
            TakenBytes = _taken,
        }));
        _taken += session.Memory.Total - MemoryPlan.ProgramBytes;
        Terminal.Notes(session.Notes);
        return _scorers[key] = opened.Add(new EncoderScorer(session, Terminal.Note));
    }
}
