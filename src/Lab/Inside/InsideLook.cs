using SafeLlama.Common;
using SafeLlama.Evaluation;
using SafeLlama.Inference;
using SafeLlama.Model;
using SafeLlama.Serving;

namespace SafeLlama.Lab;

/// <summary>Looks into a voice with parts of its adapter off and its stream changed.</summary>
/// <remarks>The direction, its removal and addition, and the lens are those of <c>safellama inspect</c>.</remarks>
internal sealed class InsideLook(LabModel lab, InsideRequest asked)
{
    /// <summary>The most tokens of an answer.</summary>
    public const int MostTokens = 40;

    /// <summary>The longest prompt whose attention is shown, in tokens.</summary>
    public const int MostAttended = 256;

    private const int Shown = 5;

    /// <summary>The most prompts that are answered side by side; so few rows have the bytes that each has
    /// alone.</summary>
    private const int MostSideBySide = 8;

    private readonly ServedModel _voice = lab.Find(asked.Voice) ?? throw new ApiException(
        400, $"There is no '{asked.Voice}', only {string.Join(", ", lab.Voices.Select(v => v.Id))}.", "voice");

    private readonly TokenTexts _texts = new(lab.Session.Tokenizer);

    /// <param name="tell">Receives each part as soon as it is known.</param>
    /// <exception cref="ApiException">A layer, a head, a position or a rank is none of this model's.</exception>
    /// <exception cref="SafeLlamaException">A part cannot be taken of this adapter, or a prompt is too
    /// long.</exception>
    public void Run(Action<InsideEvent> tell, CancellationToken cancel)
    {
        RequirePlaces();
        var prompt = lab.Prompt(_voice, asked.Request);
        if (asked.View.Position < -prompt.Length)
        {
            throw Wrong("position", $"{asked.View.Position}", $"−1 to −{prompt.Length}, the prompt's tokens");
        }

        lab.Turn(_voice, asked.Scale, asked.Part.IsWhole ? null : asked.Part);
        using var model = lab.Alone(_voice);
        using var reader = new ResidualReader(model);
        if (asked.Change is null)
        {
            Look(model, reader, prompt, tell, cancel);
            tell(Told(Direction(model, cancel)));
        }
        else
        {
            var direction = Direction(model, cancel);
            tell(Told(direction));
            model.Hook = Hook(direction, asked.Change);
            Look(model, reader, prompt, tell, cancel);
        }

        tell(new InsideRefusals(
            Count(model, asked.Unsafe, cancel), Count(model, asked.Benign, cancel), lab.Judge("").Judge));
    }

    private void Look(
        Llama model, ResidualReader reader, int[] prompt, Action<InsideEvent> tell, CancellationToken cancel)
    {
        var answer = Answers(model, [prompt], cancel)[0];
        var text = Text(prompt, answer);
        var (behavior, judge) = lab.Judge(text);
        tell(new InsideAnswer(
            [.. prompt.Select(id => SafeText.Shown(_texts.Of(id)))], SafeText.Shown(text), Words.Of(behavior), judge,
            answer.Stop != StopReason.End));
        var known = Math.Min(model.Config.VocabularySize, lab.Session.Tokenizer.VocabularySize);
        tell(new InsideLens(asked.View.Position, [.. reader.Lens(prompt, asked.View.Position).Select(
            logits => (IReadOnlyList<LikelyToken>)[
                .. TokenScore.Of(logits.AsSpan(0, known), 0, Shown).Top.Take(Shown).Select(t => new LikelyToken(
                    SafeText.Shown(_texts.Of(t.Token)), Math.Exp(t.LogProbability))),
            ])]));
        cancel.ThrowIfCancellationRequested();
        tell(new InsideAttention(
            asked.View.Layer, asked.View.Head,
            prompt.Length > MostAttended ? [] : [
                .. reader.Attention(prompt, asked.View.Layer)[0][asked.View.Head].Select((row, i) => row[..(i + 1)]),
            ],
            MostAttended));
    }

    private RefusalDirection Direction(Llama model, CancellationToken cancel) => RefusalDirection.Find(
        model, [.. asked.Unsafe.Select(p => lab.Prompt(_voice, p))],
        [.. asked.Benign.Select(p => lab.Prompt(_voice, p))], cancellation: cancel);

    private static InsideDirection Told(RefusalDirection direction) => new(
        [.. direction.Layers.Select(at => new DirectionAt(at.Layer, at.Norm, at.StreamNorm, at.Separation))]);

    private static IStreamHook Hook(RefusalDirection direction, DirectionChange change)
    {
        var at = direction.Layers[change.Layer];
        return at.Norm == 0
            ? throw SafeLlamaException.Usage(
                $"Before block {change.Layer} the two sets of prompts have the same mean: there is no direction. "
                + "Take another layer.")
            : change.Scale is { } scale ? new DirectionAddition(at.Vector, change.Layer, scale)
            : new DirectionAblation(at.Vector);
    }

    private InsideRate Count(Llama model, IReadOnlyList<string> prompts, CancellationToken cancel)
    {
        // One with little room in the context must not cut the answers beside it.
        var answers = prompts.Select(p => lab.Prompt(_voice, p)).GroupBy(p => Math.Min(MostTokens, Room(model, p)))
            .SelectMany(alike => alike.Chunk(SideBySide(model, alike)))
            .SelectMany(some => some.Zip(Answers(model, some, cancel))).ToList();
        var refuses = answers.ConvertAll(a => lab.Judge(Text(a.First, a.Second)).Behavior.Refuses());
        var (count, n) = (refuses.Count(r => r == true), refuses.Count(r => r is not null));
        return new(
            count, n, refuses.Count - n, answers.Count(a => a.Second.Stop != StopReason.End),
            LabFields.Json(Wilson.Rate(count, n)));
    }

    /// <summary>As many prompts as together take no more room than the one request that memory was planned for.</summary>
    private static int SideBySide(Llama model, IEnumerable<int[]> prompts) =>
        Math.Clamp(model.MaxLength / prompts.Max(p => p.Length + MostTokens), 1, MostSideBySide);

    private IReadOnlyList<Generation> Answers(Llama model, IReadOnlyList<int[]> prompts, CancellationToken cancel)
    {
        var room = prompts.Min(p => Room(model, p));
        return room < 1
            ? throw SafeLlamaException.Usage(
                $"A request has {model.MaxLength - room} tokens with its template; the model reads {model.MaxLength}.",
                "shorten the request")
            : new Generator(model, DecodingConfig.Greedy(Math.Min(MostTokens, room)) with
            {
                EosIds = _voice.EndTokens,
                TokenLimit = lab.Session.Tokenizer.VocabularySize,
            }).Generate(prompts, cancel: cancel);
    }

    private static int Room(Llama model, int[] prompt) => model.MaxLength - prompt.Length;

    private string Text(int[] prompt, Generation answer) => lab.Session.Continuation(prompt, answer);

    private void RequirePlaces()
    {
        var config = lab.Session.Model.Config;
        Require("layer", asked.View.Layer, config.Layers - 1);
        Require("head", asked.View.Head, config.Heads - 1);
        foreach (var layer in asked.Part.WithoutLayers)
        {
            Require("without_layers", layer, config.Layers - 1);
        }

        if (asked.Change is { } change)
        {
            Require("direction.layer", change.Layer, config.Layers);
        }

        if (!asked.Part.IsWhole && lab.AdapterOf(_voice) is null)
        {
            throw new ApiException(400, $"'{asked.Voice}' has no adapter, so no part of one can be off.", "voice");
        }
    }

    private static void Require(string name, int found, int most)
    {
        if (found < 0 || found > most)
        {
            throw Wrong(name, $"{found}", $"0 to {most} in this model");
        }
    }

    private static ApiException Wrong(string name, string found, string expected) =>
        new(400, $"'{name}' is {found}, expected {expected}.", name);
}
