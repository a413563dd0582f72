using System.Text.Json;
using Microsoft.AspNetCore.Http;
using SafeLlama.Common;
using SafeLlama.Serving;

namespace SafeLlama.Lab;

/// <summary><c>api/talk</c>: answers side by side, as a stream; <c>api/open</c>: another model to talk to.</summary>
internal sealed class TalkEndpoints(Workshop shop) : IRoomEndpoints
{
    private const int MostCharacters = 4000;
    private const int MostSides = 2;
    private const int MostAdapters = 8;

    public IReadOnlyList<(string Path, Func<HttpContext, Task> Answer)> Posts => [("talk", Talk), ("open", Open)];

    private async Task Talk(HttpContext context)
    {
        var fields = await Body.Read(context);
        var request = LabFields.Text(fields, "request", MostCharacters);
        var sides = Sides(fields.Require("sides"));
        var shown = fields.Integer("opening", 1, int.MaxValue);
        fields.RefuseOthers();
        var events = new EventStream(context);
        await foreach (var told in shop.Gate.Stream<TalkEvent>(
            (tell, cancel) =>
            {
                shop.Talking.RequireShown(shown);
                var talker = new Talker(shop.Talking);
                foreach (var side in sides)
                {
                    talker.Answer(side, request, tell, cancel);
                }
            },
            context.RequestAborted))
        {
            await events.Send<object>(told);
        }
    }

    private async Task Open(HttpContext context)
    {
        var fields = await Body.Read(context);
        var folder = fields.Text("model")?.Trim();
        var adapters = fields.Texts("adapters", MostAdapters);
        fields.RefuseOthers();
        LabFields.RequirePath(folder ?? "", "model");
        foreach (var adapter in adapters)
        {
            LabFields.RequirePath(adapter, "adapters");
            LabFields.RequirePath(ServedModel.ParseAdapter(adapter).Folder, "adapters");
        }

        try
        {
            var opened = await shop.Gate.Run(
                _ => shop.Replace(string.IsNullOrEmpty(folder) ? null : folder, adapters), context.RequestAborted);
            await Reply.Write(context, TalkState.Of(opened));
        }
        catch (SafeLlamaException large) when (large.Code == ExitCode.DoesNotFit)
        {
            throw new ApiException(400, large.Fault, "model");
        }
    }

    private static List<TalkSide> Sides(JsonElement list)
    {
        if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() is < 1 or > MostSides)
        {
            throw RequestFields.Wrong(list, "sides", $"a list of 1 to {MostSides}");
        }

        var sides = new List<TalkSide>();
        foreach (var one in list.EnumerateArray())
        {
            var fields = new RequestFields(one, $"sides[{sides.Count}].");
            var number = fields.Integer("number", 0, MostSides - 1) ?? sides.Count;
            var voice = RequestFields.TextOf(fields.Require("voice"), fields.Name("voice"));
            var scale = fields.Number("scale", s => s is >= 0 and <= 2, "a number from 0 to 2") ?? 1;
            fields.RefuseOthers();
            sides.Add(new(number, voice, scale));
        }

        return sides;
    }
}

/// <summary>What the page shows of the model that is open.</summary>
/// <param name="Opening">Which opening it is; a page that shows another is told so.</param>
/// <param name="Name">The base's name.</param>
/// <param name="Voices">Ids of base and adapters.</param>
/// <param name="Adapted">Which of them have an adapter to turn.</param>
/// <param name="Notes">Remarks on the files.</param>
internal sealed record TalkState(
    int Opening, string Name, IReadOnlyList<string> Voices, IReadOnlyList<bool> Adapted, IReadOnlyList<string> Notes)
{
    public static TalkState Of(LabModel model) => new(
        model.Opening, model.Name, [.. model.Voices.Select(v => v.Id)],
        [.. model.Voices.Select(v => v.Adapter >= 0)], model.Notes);
}
