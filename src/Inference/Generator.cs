using System.Runtime.InteropServices;
using SafeLlama.Common;
using SafeLlama.Model;

namespace SafeLlama.Inference;

/// <summary>Generates answers token by token, for many prompts at a time.</summary>
public sealed class Generator(Llama model, DecodingConfig config)
{
    /// <summary>Answers each prompt exactly as if it were alone.</summary>
    /// <param name="prompts">Token ids of each prompt, BOS included; none empty.</param>
    /// <param name="firstSequence">The number of the first prompt, which names its random stream.</param>
    /// <param name="onToken">
    /// Called with prompt and token as soon as one is chosen; not in beam search, which decides at the end.
    /// </param>
    /// <param name="cancel">Ends generation between two tokens.</param>
    /// <exception cref="SafeLlamaException">A prompt is empty or too long, or a setting is out of range.</exception>
    public IReadOnlyList<Generation> Generate(
        IReadOnlyList<int[]> prompts,
        long firstSequence = 0,
        Action<int, int>? onToken = null,
        CancellationToken cancel = default)
    {
        config.Validate();
        if (prompts.Count == 0)
        {
            return [];
        }

        if (prompts.Any(p => p.Length == 0))
        {
            throw SafeLlamaException.InvalidData("A prompt has no tokens; begin it with BOS.");
        }

        if (config.Beams > 1)
        {
            return [.. prompts.Select(prompt => new BeamSearch(model, config).Generate(prompt, cancel))];
        }

        var longest = prompts.Max(p => p.Length);
        using var batch = new DecodingBatch(model, prompts.Count, longest, longest + config.MaxNewTokens);
        var answers = prompts
            .Select((prompt, i) => new Answer(i, prompt, new Sampler(config, firstSequence + i))).ToList();
        var choice = new double[model.Config.VocabularySize];
        foreach (var answer in answers)
        {
            cancel.ThrowIfCancellationRequested();
            batch.Read(answer.Slot, prompts[answer.Slot]);
            Take(answer, batch.Logits(0), choice, onToken);
        }

        Continue(batch, answers, choice, onToken, cancel);
        return [.. answers.Select(a => a.Finish(config))];
    }

    /// <summary>log p of one token of a row of logits.</summary>
    internal static double LogProbability(ReadOnlySpan<double> logits, int token)
    {
        var max = LogitsMath.Largest(logits);
        return logits[token] - max - Math.Log(LogitsMath.SumOfExp(logits, max));
    }

    /// <summary>Adds a token to every unfinished answer until all are finished.</summary>
    private void Continue(
        DecodingBatch batch, List<Answer> answers, double[] choice, Action<int, int>? onToken, CancellationToken cancel)
    {
        var open = new List<Answer>(answers);
        Predicate<Answer> done = answer => answer.Done(config);
        var (slots, tokens, positions) = (new int[open.Count], new int[open.Count], new int[open.Count]);
        for (open.RemoveAll(done); open.Count > 0; open.RemoveAll(done))
        {
            cancel.ThrowIfCancellationRequested();
            for (var i = 0; i < open.Count; i++)
            {
                (slots[i], tokens[i], positions[i]) = (open[i].Slot, open[i].Text[^1], open[i].Text.Count - 1);
            }

            batch.Step(slots.AsSpan(0, open.Count), tokens.AsSpan(0, open.Count), positions.AsSpan(0, open.Count));
            for (var i = 0; i < open.Count; i++)
            {
                Take(open[i], batch.Logits(i), choice, onToken);
            }
        }
    }

    /// <param name="answer">Grows by one token.</param>
    /// <param name="logits">[V] the model's logits.</param>
    /// <param name="choice">[V] scratch for the processed logits.</param>
    /// <param name="onToken">Receives the token.</param>
    private static void Take(Answer answer, ReadOnlySpan<double> logits, Span<double> choice, Action<int, int>? onToken)
    {
        logits.CopyTo(choice);
        var token = answer.Sampler.Next(CollectionsMarshal.AsSpan(answer.Text), choice, answer.Length);
        var logProbability = LogProbability(logits, token);
        if (!double.IsFinite(logProbability))
        {
            throw new SafeLlamaException(
                ExitCode.NonFinite,
                $"Prompt {answer.Slot + 1}, token {answer.Length + 1} of the answer: the model's logits are not "
                + "finite. The weights or the adapter are damaged, or have grown past what the device's numbers hold.");
        }

        answer.LogLikelihood += logProbability;
        answer.Text.Add(token);
        onToken?.Invoke(answer.Slot, token);
    }

    private sealed class Answer(int slot, int[] prompt, Sampler sampler)
    {
        public int Slot => slot;

        public Sampler Sampler => sampler;

        /// <summary>Prompt and answer.</summary>
        public List<int> Text { get; } = [.. prompt];

        public int Length => Text.Count - prompt.Length;

        public double LogLikelihood { get; set; }

        public bool Done(DecodingConfig config) => Length >= config.MaxNewTokens || Ended(config);

        public Generation Finish(DecodingConfig config) =>
            new([.. Text.Skip(prompt.Length)], Ended(config) ? StopReason.End : StopReason.Length, LogLikelihood);

        private bool Ended(DecodingConfig config) => Length > 0 && config.EosIds.Contains(Text[^1]);
    }
}
