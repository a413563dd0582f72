using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;
using SafeLlama.Serving;

namespace SafeLlama.Lab;

/// <summary><c>api/train</c>: a training as a stream; <c>api/steer</c>: pause it, go on, or take a step in
/// numbers.</summary>
internal sealed class TrainEndpoints(Workshop shop) : IRoomEndpoints
{
    private readonly ConcurrentDictionary<string, TrainSteering> _running = new();

    public IReadOnlyList<(string Path, Func<HttpContext, Task> Answer)> Posts => [("train", Train), ("steer", Steer)];

    private async Task Train(HttpContext context)
    {
        var fields = await Body.Read(context);
        var dose = fields.Integer("dose", 0, DataEndpoints.Doses[^1]) ?? 90;
        var epochs = fields.Integer("epochs", 1, 5) ?? 1;
        var seed = fields.Integer("seed", 1, 1_000_000) ?? 1;
        var paused = fields.Flag("paused");
        fields.RefuseOthers();
        using var steering = new TrainSteering(paused);
        var training = new LiveTraining(shop.World, dose, epochs, seed, shop.Settings.Threads);
        _running[steering.Id] = steering;
        try
        {
            var events = new EventStream(context);
            await foreach (var told in shop.TrainingGate.Stream<TrainEvent>(
                (tell, cancel) => training.Run(steering, tell, cancel), context.RequestAborted,
                () => new TrainEvent(Words.Waiting)))
            {
                if (told is TrainEnd end)
                {
                    shop.Trained[end.Dose] = end.Compliance;
                }

                await events.Send<object>(told);
            }
        }
        finally
        {
            _running.TryRemove(steering.Id, out _);
        }
    }

    private async Task Steer(HttpContext context)
    {
        var fields = await Body.Read(context);
        var id = LabFields.Text(fields, "id", 64);
        var action = LabFields.Text(fields, "action", 16);
        var module = fields.Text("module");
        fields.RefuseOthers();
        if (!_running.TryGetValue(id, out var steering))
        {
            throw new ApiException(400, "This training has ended.", "id");
        }

        switch (action)
        {
            case "pause":
                steering.Pause();
                break;
            case "go":
                steering.Go();
                break;
            case "step" when module is not null && steering.Modules.Contains(module):
                steering.StepIn(module);
                break;
            default:
                throw new ApiException(400, "'action' is pause, go, or step with a 'module' of the adapter.", "action");
        }

        await Reply.Write(context, new { action });
    }
}
