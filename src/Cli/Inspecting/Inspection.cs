using System.Globalization;
using SafeLlama.Cli.Options;
using SafeLlama.Cli.Results;
using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Evaluation;
using SafeLlama.Inference;
using SafeLlama.Model;

namespace SafeLlama.Cli.Inspecting;

/// <summary>The work of <c>inspect</c> on one opened model.</summary>
internal sealed class Inspection(
    LlamaSession session, InspectOptions.Request asked, InspectedPrompts? prompts, CancellationToken cancellation)
{
    private const int Guesses = 5;

    private readonly RefusalDirection? _direction =
        prompts?.Direction(session, asked.Position, cancellation);

    /// <summary>The direction at every layer, and its cosines with others.</summary>
    public InspectResult.Found? Direction()
    {
        if (_direction is not { } found)
        {
            return null;
        }

        var others = asked.Against.ToDictionary(name => name, name => found.CosinesWith(Other(name), name));
        return new(
            found.Position, found.Harmful, found.Harmless,
            [
                .. found.Layers.Select(layer => new InspectResult.Layer(
                    layer.Layer, layer.Norm, layer.StreamNorm, layer.Separation,
                    others.ToDictionary(other => other.Key, other => other.Value[layer.Layer]))),
            ]);
    }

    /// <summary>Refusals of the model as it is, and under every change that was asked for.</summary>
    public async Task<InspectResult.Counted?> RefusalsAsync()
    {
        if (_direction is null || (!asked.Ablate && asked.Add.Count == 0))
        {
            return null;
        }

        var judge = new RefusalMatcher();
        var probe = new RefusalProbe(
            session, DecodingConfig.Greedy(asked.MaxNewTokens), judge, asked.BatchSize);
        var changed = new List<InspectResult.Change>();
        var plain = await CountAsync(null);
        foreach (var layer in Layers())
        {
            var vector = _direction.Layers[layer].Vector;
            if (asked.Ablate)
            {
                var (bad, good) = await CountAsync(new DirectionAblation(vector));
                changed.Add(new("ablated", layer, null, bad, good));
            }

            foreach (var scale in asked.Add.Select(Scale))
            {
                var (bad, good) = await CountAsync(new DirectionAddition(vector, layer, scale));
                changed.Add(new("added", layer, scale, bad, good));
            }
        }

        return new(judge.Identity.Name, plain.Harmful, plain.Harmless, changed);

        async Task<(RefusalCount Harmful, RefusalCount Harmless)> CountAsync(IStreamHook? hook) => (
            await probe.CountAsync(prompts!.Harmful, hook, cancellation),
            await probe.CountAsync(prompts.Harmless, hook, cancellation));
    }

    /// <summary>What the head would predict from the stream of a request, layer by layer.</summary>
    public IReadOnlyList<InspectResult.Guess>? Lens()
    {
        if (asked.Lens is not { } request)
        {
            return null;
        }

        using var reader = new ResidualReader(session.Model);
        return [.. reader.Lens(session.PromptIds(request), asked.Position).Select(Guess)];
    }

    /// <summary>Saves the direction where that was asked for.</summary>
    public void Save()
    {
        if (asked.Out is { } path && _direction is not null)
        {
            DirectionFile.Write(path, _direction, new Dictionary<string, string>
            {
                ["model"] = session.Identity.Hash,
                ["prompts"] = ContentHash.OfText(string.Join(
                    '\n', prompts!.Harmful.Concat(prompts.Harmless).Select(p => $"{p.Text}\t{p.Context}"))),
            });
        }

        if (asked.Without is { } folder)
        {
            var layers = Layers();
            var changed = AtomicFolder.Create(folder, partial =>
            {
                var count = DirectionRemoval.Write(
                    partial, asked.Model, session.Weights, _direction!.Layers[layers[0]].Vector);
                TemplateRecord.Save(partial, session.Template);
                return count;
            });
            Terminal.Note(
                $"{folder}: {changed} weights without the direction before block {layers[0]}.");
        }
    }

    /// <summary>Those asked for, or all at which there is a direction.</summary>
    private int[] Layers()
    {
        var all = _direction!.Layers;
        return asked.Layers.Count == 0
            ? [.. all.Where(layer => layer.Norm > 0).Select(layer => layer.Layer)]
            : [.. asked.Layers.Select(text =>
                int.TryParse(text, CultureInfo.InvariantCulture, out var layer) && layer >= 0 && layer < all.Count
                    ? layer
                    : throw SafeLlamaException.Usage(
                        $"`{nameof(asked.Layers)}` {text}: expected whole numbers from 0 to {all.Count - 1}; "
                        + $"{all.Count - 1} is the stream after the last block."))];
    }

    private static double Scale(string text) =>
        double.TryParse(text, CultureInfo.InvariantCulture, out var scale) && double.IsFinite(scale)
            ? scale
            : throw SafeLlamaException.Usage($"`{nameof(asked.Add)}` {text}: expected numbers such as 1 or -0.5.");

    /// <summary>The direction of a file, of an adapter over this model, or of another model.</summary>
    private RefusalDirection Other(string name)
    {
        if (File.Exists(name) && !GgufHeader.IsGguf(name))
        {
            return DirectionFile.Read(name);
        }

        var inner = Path.Combine(name, "adapter");
        var adapter = new[] { name, inner }
            .FirstOrDefault(folder => File.Exists(Path.Combine(folder, PeftFolder.ConfigName)));
        using var other = LlamaSession.Open(session.Model.Backend, adapter is null ? name : asked.Model, new()
        {
            Adapter = adapter,
            Load = new(asked.Load, asked.Nested),
            Template = session.Template,
            MaxLength = asked.MaxLength,
        });
        Terminal.Notes(other.Notes);
        return prompts!.Direction(other, asked.Position, cancellation);
    }

    private InspectResult.Guess Guess(double[] logits, int layer)
    {
        // Rows of the embedding beyond the tokenizer's pieces stand for no text.
        var known = Math.Min(logits.Length, session.Tokenizer.VocabularySize);
        var largest = logits.Max();
        var sum = logits.Sum(logit => Math.Exp(logit - largest));
        return new(layer,
        [
            .. Enumerable.Range(0, known).OrderByDescending(id => logits[id]).ThenBy(id => id).Take(Guesses)
                .Select(id => new InspectResult.GuessedToken(
                    id, session.Tokenizer.Decode([id], keepControl: true), Math.Exp(logits[id] - largest) / sum)),
        ]);
    }
}
