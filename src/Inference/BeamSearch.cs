using SafeLlama.Common;
using SafeLlama.Model;

namespace SafeLlama.Inference;

/// <summary>Keeps the likeliest few sequences and extends them until no open sequence can win.</summary>
/// <remarks>
/// As Hugging Face's beam search without early stopping: each step looks at the 2·beams likeliest continuations; one
/// that ends competes by log-likelihood / length^penalty; the search stops when the worst finished sequence scores at
/// least what the best open one has now. With one beam this is greedy; with as many as there are sequences, exhaustive.
/// </remarks>
internal sealed class BeamSearch(Llama model, DecodingConfig config)
{
    private readonly List<Beam> _finished = [];

    public Generation Generate(int[] prompt, CancellationToken cancel)
    {
        using var batch = new DecodingBatch(model, config.Beams, prompt.Length, prompt.Length + config.MaxNewTokens);
        var beams = new List<Beam> { new([], 0) };
        batch.Read(0, prompt);
        var decided = false;
        for (var length = 1; ; length++)
        {
            cancel.ThrowIfCancellationRequested();
            var (open, origins) = Advance(prompt, beams, batch, length, ref decided);
            beams = open;
            if (decided || length == config.MaxNewTokens || beams.Count == 0)
            {
                break;
            }

            batch.Rearrange([.. origins]);
            batch.Step(
                [.. Enumerable.Range(0, beams.Count)],
                [.. beams.Select(b => b.Tokens[^1])],
                [.. beams.Select(_ => prompt.Length + length - 1)]);
        }

        // Sequences that are still open at the largest length compete too.
        foreach (var beam in decided ? [] : beams)
        {
            Finish(beam);
        }

        var best = _finished.MaxBy(Score)!;
        var stop = config.EosIds.Contains(best.Tokens[^1]) ? StopReason.End : StopReason.Length;
        return new Generation(best.Tokens, stop, best.LogLikelihood);
    }

    /// <summary>The likeliest continuations of all open beams; those that end are set aside.</summary>
    private (List<Beam> Open, List<int> Origins) Advance(
        int[] prompt, List<Beam> beams, DecodingBatch batch, int length, ref bool decided)
    {
        var candidates = new List<(int Origin, int Token, double Score)>();
        for (var i = 0; i < beams.Count; i++)
        {
            var scores = LogSoftmax(batch.Logits(i));
            LogitsProcessors.Apply(config, [.. prompt, .. beams[i].Tokens], scores);
            candidates.AddRange(LogitsMath.Best(scores, 2 * config.Beams)
                .Select(token => (i, token, beams[i].LogLikelihood + scores[token])));
        }

        var (open, origins) = (new List<Beam>(), new List<int>());
        var ranked = candidates.Where(c => !double.IsNegativeInfinity(c.Score))
            .OrderByDescending(c => c.Score).ThenBy(c => c.Origin).ThenBy(c => c.Token).Take(2 * config.Beams).ToList();
        if (ranked.Count == 0 || candidates.Exists(c => double.IsNaN(c.Score)))
        {
            throw new SafeLlamaException(
                ExitCode.NonFinite,
                $"Beam search, token {length} of the answer: no token is left to choose from. The model's logits "
                + $"are not finite, or `NoRepeatNgram` {config.NoRepeatNgram} rules all of them out.");
        }

        for (var rank = 0; rank < ranked.Count && open.Count < config.Beams; rank++)
        {
            var (origin, token, score) = ranked[rank];
            var beam = new Beam([.. beams[origin].Tokens, token], score);
            if (!config.EosIds.Contains(token))
            {
                open.Add(beam);
                origins.Add(origin);
            }
            else if (rank < config.Beams)
            {
                Finish(beam);
            }
        }

        decided = _finished.Count >= config.Beams
            && _finished.Min(Score) >= ranked[0].Score / Math.Pow(length, config.LengthPenalty);
        return (open, origins);
    }

    private void Finish(Beam beam)
    {
        _finished.Add(beam);
        if (_finished.Count > config.Beams)
        {
            _finished.Remove(_finished.MinBy(Score)!);
        }
    }

    private double Score(Beam beam) => beam.LogLikelihood / Math.Pow(beam.Tokens.Count, config.LengthPenalty);

    private static double[] LogSoftmax(ReadOnlySpan<double> logits)
    {
        var (scores, max) = (logits.ToArray(), LogitsMath.Largest(logits));
        var normal = max + Math.Log(LogitsMath.SumOfExp(logits, max));
        foreach (ref var score in scores.AsSpan())
        {
            score -= normal;
        }

        return scores;
    }

    private sealed record Beam(IReadOnlyList<int> Tokens, double LogLikelihood);
}
