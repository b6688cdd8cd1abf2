import type { RepositoryOutcome, RepositoryPage } from '../domain/catalog/flows.ts';
import type { RepositoryAddress } from '../domain/catalog/repository.ts';
import { type IngestTools } from './index/ingest.ts';
import type { StreamSpool } from './index/stream-spool.ts';
import type { Mgit } from './mgit/index.ts';
import { type Planner } from './planner.ts';
/** One page of a question about many repositories. */
export interface PageRequest {
    /** mgit patterns; null for every repository that is indexed. */
    readonly patterns: readonly string[] | null;
    /** The id after which the page starts. */
    readonly after: string | null;
    readonly limit: number;
}
/** The activities of the catalog's flows. They need git, disk and Weaviate: task queue `longhaul-repos`. */
export interface CatalogActivities {
    /** What `mgit list` finds and the index does not hold yet. */
    listUnindexed(request: PageRequest): Promise<RepositoryPage>;
    /** Indexed repositories whose HEAD moved, asked of mgit in one batch. */
    findChanged(request: PageRequest): Promise<RepositoryPage>;
    /** Indexed repositories that match. */
    findIndexed(request: PageRequest): Promise<RepositoryPage>;
    /** Brings the index of one repository to its HEAD. See `ingest`. */
    indexRepository(request: {
        readonly repository: string | RepositoryAddress;
    }): Promise<RepositoryOutcome>;
    /** Ingests a spooled change stream. */
    ingestStream(request: {
        readonly repository: string;
        readonly stream: string;
    }): Promise<RepositoryOutcome>;
    /** Deletes the objects of a repository, then its receipt. */
    removeRepository(request: {
        readonly repository: string;
    }): Promise<RepositoryOutcome>;
}
/** What the catalog's activities work with. */
export interface CatalogTools extends IngestTools {
    readonly mgit: Mgit;
    readonly planner: Planner;
    readonly spool: StreamSpool;
}
/** See {@link CatalogActivities}. */
export declare function createCatalogActivities(tools: CatalogTools): CatalogActivities;
