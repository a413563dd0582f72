using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Evaluation;
using SafeLlama.Inference;

namespace SafeLlama.Cli;

/// <summary>Answers rows of prompts in order, and writes each batch to the disk before the next begins.</summary>
/// <param name="raw">Whether prompts are taken as they stand, without a template.</param>
internal sealed class PromptRun(
    LlamaSession session, IReadOnlyList<TrainingExample> rows, bool raw, AnswerSource source, CancellationToken cancel)
{
    /// <summary>Prompts answered side by side; its tokens do not depend on it.</summary>
    private const int Batch = 16;

    private readonly IReadOnlyList<int[]> _prompts = [.. rows.Select(row => Ids(session, row, raw, source.Decoding))];

    /// <summary>Appends the answers that a file lacks.</summary>
    /// <returns>How many the file held before.</returns>
    /// <exception cref="SafeLlamaException">The file holds answers to other prompts, or of another source.</exception>
    /// <exception cref="OperationCanceledException">The file holds what was answered until then.</exception>
    public int AppendTo(string file)
    {
        using var store = RecordStore.Open<PromptAnswer>(file, kept => Require(kept, file));
        var before = store.Records.Count;
        if (store.TornLines > 0)
        {
            Terminal.Note($"{file}:{before + 1}: an unfinished line of a stopped run is dropped and made again.");
        }

        if (store.Records.Count(answer => answer.Source.ModelHash is null) is var unknown and > 0)
        {
            Terminal.Note(
                $"{file}: it cannot be told whether {Counted.Of(unknown, "answer")} came from the same weights: no "
                + "hash of them was recorded then.");
        }

        Each(before, store.Append);
        return before;
    }

    /// <summary>Refuses a file that holds answers to other prompts, or of another source.</summary>
    private void Require(IReadOnlyList<PromptAnswer> kept, string file)
    {
        for (var i = 0; i < kept.Count; i++)
        {
            var (answer, row) = (kept[i], i < rows.Count ? rows[i] : null);
            if (answer.Row != i + 1 || answer.Id != row?.Id || answer.Prompt != row.Question
                || !answer.Source.HasSettingsOf(source))
            {
                throw SafeLlamaException.Usage(
                    $"`Out` {file}: line {i + 1} answers \"{answer.Id}\" with another prompt, model or decoding than "
                    + "this run has.",
                    "name another file");
            }

            if (answer.Source.ChangeTo(source) is { } change)
            {
                throw SafeLlamaException.Usage(
                    $"`Out` {file}: line {i + 1} answers \"{answer.Id}\" with other files or another device than this "
                    + $"run has: {change}.",
                    "go on with what the run began with", "name another file");
            }
        }
    }

    /// <summary>Answers the rows after the first <paramref name="done"/>.</summary>
    /// <remarks>A batch that was cut is made again as a whole: the last digits of a likelihood may depend on how many
    /// rows a product has.</remarks>
    public void Each(int done, Action<PromptAnswer> use)
    {
        for (var first = done / Batch * Batch; first < rows.Count; first += Batch)
        {
            var ids = _prompts.Skip(first).Take(Batch).ToList();
            var answers = new Generator(session.Model, session.Decoding(source.Decoding))
                .Generate(ids, firstSequence: first, cancel: cancel);
            for (var i = Math.Max(0, done - first); i < ids.Count; i++)
            {
                var (row, answer) = (rows[first + i], answers[i]);
                use(new(
                    row.Id, row.Question, raw ? session.Continuation(ids[i], answer) : session.Decode(answer),
                    ids[i].Length, answer.Tokens.Count,
                    answer.Stop == StopReason.End ? "end" : "length", answer.LogLikelihood, first + i + 1)
                {
                    Source = source,
                });
            }
        }
    }

    /// <summary>The prompt's tokens; one that leaves no room for its answer is named before anything is
    /// answered.</summary>
    private static int[] Ids(LlamaSession session, TrainingExample row, bool raw, DecodingConfig decoding)
    {
        int[] ids;
        try
        {
            ids = raw
                ? SegmentEncoder.Ids(session.Tokenizer, [PromptSegment.Begin, PromptSegment.User(row.Question)])
                : session.PromptIds(row);
        }
        catch (SafeLlamaException e) when (e.Code == ExitCode.InvalidData)
        {
            // The tokenizer reports the text that it cannot encode; add the row.
            throw new SafeLlamaException(e.Code, $"{row.Id}: {e.Fault} Nothing was answered.", e, e.WaysOut);
        }

        return ids.Length + decoding.MaxNewTokens <= session.Model.MaxLength ? ids : throw SafeLlamaException.Usage(
            $"{row.Id}: the prompt has {ids.Length} tokens, and {decoding.MaxNewTokens} more for the answer do not fit "
            + $"into the {session.Model.MaxLength} the model was opened for. Nothing was answered.",
            "lower `MaxNewTokens`", "raise `MaxLength`", "shorten the prompt");
    }
}
