using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using SafeLlama.Common;

namespace SafeLlama.Distributed;

/// <summary>What all ranks do together. On a single process each returns at once.</summary>
public static class Collectives
{
    /// <summary>Whether this rank writes files and speaks to the user.</summary>
    public static bool IsFirst(this ICommunicator ranks) => ranks.Rank == 0;

    /// <summary>The ranks that run on this rank's machine.</summary>
    public static int CountHere(this ICommunicator ranks) =>
        ranks.Places.Count(place => place.Host == ranks.Places[ranks.Rank].Host);

    /// <summary>This rank's number among those on its machine, from 0.</summary>
    public static int NumberHere(this ICommunicator ranks) =>
        ranks.Places.Take(ranks.Rank).Count(place => place.Host == ranks.Places[ranks.Rank].Host);

    /// <summary>Returns when every rank has called it.</summary>
    public static void Barrier(this ICommunicator ranks)
    {
        ranks.Gather([]);
        ranks.Broadcast([]);
    }

    /// <summary>Rank 0's bytes to all, along a binomial tree: the time grows with the logarithm of the
    /// ranks.</summary>
    public static void Broadcast(this ICommunicator ranks, Span<byte> bytes)
    {
        var top = 1;
        while (top < ranks.Size)
        {
            top <<= 1;
        }

        for (var distance = top >> 1; distance > 0; distance >>= 1)
        {
            if (ranks.Rank % (2 * distance) == 0 && ranks.Rank + distance < ranks.Size)
            {
                ranks.Send(ranks.Rank + distance, bytes);
            }
            else if (ranks.Rank % (2 * distance) == distance)
            {
                ranks.Receive(ranks.Rank - distance, bytes);
            }
        }
    }

    /// <summary>Rank 0's value to all, as JSON.</summary>
    public static T Broadcast<T>(this ICommunicator ranks, T value)
    {
        if (ranks.Size == 1)
        {
            return value;
        }

        var text = ranks.IsFirst() ? JsonSerializer.SerializeToUtf8Bytes(value, Json.Message) : [];
        Span<int> length = [text.Length];
        ranks.Broadcast(MemoryMarshal.AsBytes(length));
        text = ranks.IsFirst() ? text : new byte[length[0]];
        ranks.Broadcast(text.AsSpan());
        return ranks.IsFirst() ? value : JsonSerializer.Deserialize<T>(text, Json.Message)!;
    }

    /// <summary>Every rank's bytes on rank 0, by rank; nothing on the others.</summary>
    public static IReadOnlyList<byte[]> Gather(this ICommunicator ranks, byte[] mine)
    {
        if (!ranks.IsFirst())
        {
            Span<int> length = [mine.Length];
            ranks.Send(0, MemoryMarshal.AsBytes(length));
            ranks.Send(0, mine);
            return [];
        }

        var all = new byte[ranks.Size][];
        all[0] = mine;
        Span<int> size = [0];
        for (var rank = 1; rank < ranks.Size; rank++)
        {
            ranks.Receive(rank, MemoryMarshal.AsBytes(size));
            all[rank] = new byte[size[0]];
            ranks.Receive(rank, all[rank]);
        }

        return all;
    }

    /// <summary>Refuses ranks that would not do the same work as rank 0.</summary>
    /// <param name="facts">What decides the result, by name: versions, settings, hashes of files.</param>
    /// <exception cref="SafeLlamaException">A fact differs: it is named, with the rank and its host.</exception>
    public static void RequireSame(this ICommunicator ranks, IReadOnlyDictionary<string, string> facts)
    {
        if (ranks.Size == 1)
        {
            return;
        }

        var mine = new SortedDictionary<string, string>(
            facts.ToDictionary(f => f.Key, f => f.Value), StringComparer.Ordinal);
        var all = ranks.Gather(JsonSerializer.SerializeToUtf8Bytes(mine, Json.Line));
        for (var rank = 1; rank < all.Count; rank++)
        {
            var other = JsonSerializer.Deserialize<Dictionary<string, string>>(Encoding.UTF8.GetString(all[rank]))!;
            foreach (var name in mine.Keys.Union(other.Keys).Order(StringComparer.Ordinal))
            {
                var (here, there) = (mine.GetValueOrDefault(name, "none"), other.GetValueOrDefault(name, "none"));
                if (here != there)
                {
                    throw SafeLlamaException.InvalidData(
                        $"rank {rank} on {ranks.Places[rank].Host}: {name} is {Short(there)}, and rank 0 on "
                        + $"{ranks.Places[0].Host} has {Short(here)}; every rank needs the same program, settings and "
                        + "files.");
                }
            }
        }

        ranks.Barrier();
    }

    private static string Short(string text) => text.Length <= 64 ? text : text[..64] + "…";
}
